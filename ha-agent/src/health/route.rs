//! Whether a route is there.

use super::{Look, Means};
use crate::{
    config::track,
    net::{Changes, Netlink, NetlinkError},
};

pub(super) struct Route {
    route: track::Route,
    netlink: Netlink,
    changes: Changes,
}

impl Route {
    pub(super) fn new(route: &track::Route, means: &Means) -> Self {
        Self {
            route: route.clone(),
            netlink: means.netlink.clone(),
            changes: means.changes.clone(),
        }
    }

    pub(super) async fn look(&mut self) -> Look {
        match self.is_there().await {
            Ok(true) => Look::pass("is there"),
            Ok(false) => Look::fail("is not there"),
            Err(error) => Look::fail(error.to_string()),
        }
    }

    pub(super) async fn told(&mut self) {
        self.changes.route().await;
    }

    async fn is_there(&self) -> Result<bool, NetlinkError> {
        let track::Route {
            destination,
            via,
            interface,
        } = &self.route;
        let index = match interface {
            None => None,
            Some(name) => match self.netlink.link(name).await? {
                Some(link) => Some(link.index),
                None => return Ok(false),
            },
        };
        self.netlink.has_route(*destination, *via, index).await
    }
}
