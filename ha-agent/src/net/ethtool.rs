//! What `ethtool -k` and `ethtool -l` show, and what the kernel says of a driver's XDP.

mod message;
mod netdev;
mod tags;

use std::{collections::BTreeSet, io, pin::pin};

use ethtool::{EthtoolAttr, EthtoolChannelAttr, EthtoolError, EthtoolFeatureAttr, EthtoolHandle};
use futures_util::{Stream, TryStreamExt};

pub use self::{
    netdev::XdpFeatures,
    tags::{STRIPS, Strip},
};

/// A connection to the kernel's families for drivers, in the network namespace of the thread that opened it.
#[derive(Clone, Debug)]
pub struct Ethtool {
    handle: EthtoolHandle,
}

/// Offloads of an interface by the names that the kernel gives them, as "rx-lro".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Those that are on.
    pub active: BTreeSet<String>,
    /// Those that nobody can change.
    pub fixed: BTreeSet<String>,
}

/// Queues of an interface, now and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// That only receive.
    pub rx: Count,
    /// That only send.
    pub tx: Count,
    /// That do both.
    pub combined: Count,
}

/// How many there are, and how many there could be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Now.
    pub now: u32,
    /// At most.
    pub most: u32,
}

impl Ethtool {
    /// Opens the connection, whose task runs on the current tokio runtime.
    ///
    /// # Errors
    /// If the kernel gives no socket.
    pub fn connect() -> io::Result<Self> {
        let (connection, handle, _) = ethtool::new_connection()?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// The offloads of an interface; `None` if the driver does not tell.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn features(&self, name: &str) -> io::Result<Option<Features>> {
        let replies = self.handle.clone().feature().get(Some(name)).execute();
        let Some(attributes) = collect(replies.await).await? else {
            return Ok(None);
        };
        let mut features = Features::default();
        for attribute in attributes {
            match attribute {
                EthtoolAttr::Feature(EthtoolFeatureAttr::Active(bits)) => {
                    let on = bits.into_iter().filter(|bit| bit.value);
                    features.active.extend(on.map(|bit| bit.name));
                }
                EthtoolAttr::Feature(EthtoolFeatureAttr::NoChange(bits)) => {
                    let fixed = bits.into_iter().filter(|bit| bit.value);
                    features.fixed.extend(fixed.map(|bit| bit.name));
                }
                _ => {}
            }
        }
        Ok(Some(features))
    }

    /// Turns an offload of an interface off.
    ///
    /// # Errors
    /// The kernel's; it does not say whether the driver did it.
    pub async fn turn_off(&self, name: &str, feature: &str) -> io::Result<()> {
        tags::turn_off(&self.handle.handle, name, feature).await
    }

    /// The queues of an interface; `None` if the driver does not tell.
    ///
    /// # Errors
    /// The kernel's.
    pub async fn channels(&self, name: &str) -> io::Result<Option<Channels>> {
        let replies = self.handle.clone().channel().get(Some(name)).execute();
        let Some(attributes) = collect(replies.await).await? else {
            return Ok(None);
        };
        let mut channels = Channels::default();
        for attribute in attributes {
            let EthtoolAttr::Channel(attribute) = attribute else {
                continue;
            };
            match attribute {
                EthtoolChannelAttr::RxCount(count) => channels.rx.now = count,
                EthtoolChannelAttr::RxMax(count) => channels.rx.most = count,
                EthtoolChannelAttr::TxCount(count) => channels.tx.now = count,
                EthtoolChannelAttr::TxMax(count) => channels.tx.most = count,
                EthtoolChannelAttr::CombinedCount(count) => channels.combined.now = count,
                EthtoolChannelAttr::CombinedMax(count) => channels.combined.most = count,
                _ => {}
            }
        }
        Ok(Some(channels))
    }

    /// What of XDP the kernel says that an interface can do, as it is set up now. `None` from a kernel that does
    /// not tell (before 6.3).
    ///
    /// # Errors
    /// The kernel's.
    pub async fn xdp_features(&self, index: u32) -> io::Result<Option<XdpFeatures>> {
        netdev::ask(&self.handle.handle, index).await
    }
}

/// The attributes of all replies; `None` if the driver has none.
async fn collect<S>(replies: Result<S, EthtoolError>) -> io::Result<Option<Vec<EthtoolAttr>>>
where
    S: Stream<
        Item = Result<netlink_packet_generic::GenlMessage<ethtool::EthtoolMessage>, EthtoolError>,
    >,
{
    let mut replies = pin!(replies.map_err(io::Error::other)?);
    let mut attributes = Vec::new();
    loop {
        match replies.try_next().await {
            Ok(Some(reply)) => attributes.extend(reply.payload.nlas),
            Ok(None) => return Ok(Some(attributes)),
            Err(EthtoolError::NetlinkError(refusal)) => {
                let refusal = refusal.to_io();
                return match refusal.raw_os_error() {
                    Some(libc::EOPNOTSUPP) => Ok(None),
                    _ => Err(refusal),
                };
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}
