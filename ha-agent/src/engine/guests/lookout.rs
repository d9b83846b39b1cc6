//! Looks how the guests are reached, whenever that may have changed.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::way::{Kernel, Nic, Way};
use crate::{
    config::Guest,
    net::{Changes, Ethtool, Netlink, NetlinkError, XdpFeatures},
};

/// How often the interfaces are looked at without being told of a change: what the other end of a veth can do
/// changes without a word.
const INTERVAL: Duration = Duration::from_secs(1);

/// Looks for the ways to all guests.
#[derive(Debug)]
pub(super) struct Lookout {
    netlink: Netlink,
    ethtool: Ethtool,
    wanted: Vec<(Guest, Nic)>,
}

impl Lookout {
    /// `None` where there are no guests.
    pub(super) fn new(netlink: &Netlink, wanted: Vec<(Guest, Nic)>) -> Result<Option<Self>> {
        if wanted.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            netlink: netlink.clone(),
            ethtool: Ethtool::connect().context("cannot ask for what guests' interfaces can do")?,
            wanted,
        }))
    }

    /// Looks for changes for as long as somebody wants to know.
    pub(super) async fn watch(
        self,
        mut changes: Changes,
        mut known: Vec<Way>,
        sender: mpsc::UnboundedSender<Vec<Way>>,
    ) {
        loop {
            // One that goes and comes back is another one, though it may look the same.
            let is_told = tokio::select! {
                () = changes.link() => true,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            match self.look().await {
                Ok(ways) if is_told || ways != known => {
                    known.clone_from(&ways);
                    if sender.send(ways).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::warn!("{error}"),
            }
        }
    }

    pub(super) async fn look(&self) -> Result<Vec<Way>, NetlinkError> {
        let links = self.netlink.links().await?;
        let mut kernel = Running::default();
        for link in &links {
            let mut guests = self.wanted.iter().map(|(guest, _)| &guest.interface);
            if guests.any(|interface| *interface == link.name) {
                kernel.ask(&self.ethtool, link.index).await;
            }
        }
        let to = |(guest, nic): &(Guest, Nic)| Way::to(&guest.interface, nic, &links, &kernel);
        Ok(self.wanted.iter().map(to).collect())
    }
}

/// The kernel that runs, and what it has said of interfaces.
#[derive(Default)]
struct Running {
    features: BTreeMap<u32, XdpFeatures>,
}

impl Running {
    async fn ask(&mut self, ethtool: &Ethtool, index: u32) {
        match ethtool.xdp_features(index).await {
            Ok(features) => self
                .features
                .extend(features.map(|features| (index, features))),
            Err(error) => tracing::debug!("cannot ask what interface {index} can do: {error}"),
        }
    }
}

impl Kernel for Running {
    fn features(&self, index: u32) -> Option<XdpFeatures> {
        self.features.get(&index).copied()
    }

    fn forwards(&self, nic: &Nic) -> bool {
        ["ipv4", "ipv6"].iter().any(|family| {
            let switch = format!("/proc/sys/net/{family}/conf/{}/forwarding", nic.name);
            fs::read_to_string(switch).is_ok_and(|state| state.trim() == "1")
        })
    }
}
