//! Whether an interface is up and has a carrier (keepalived's `track_interface`).

use super::{Look, Means};
use crate::net::{Changes, Netlink};

pub(super) struct Interface {
    name: String,
    netlink: Netlink,
    changes: Changes,
}

impl Interface {
    pub(super) fn new(name: &str, means: &Means) -> Self {
        Self {
            name: name.to_owned(),
            netlink: means.netlink.clone(),
            changes: means.changes.clone(),
        }
    }

    pub(super) async fn look(&mut self) -> Look {
        match self.netlink.link(&self.name).await {
            Ok(Some(link)) if link.up => Look::pass("up"),
            Ok(Some(_)) => Look::fail("down, or without carrier"),
            Ok(None) => Look::fail("there is no such interface"),
            Err(error) => Look::fail(error.to_string()),
        }
    }

    pub(super) async fn told(&mut self) {
        self.changes.link().await;
    }
}
