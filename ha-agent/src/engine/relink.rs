//! An interface that has its link again: what could not be asked meanwhile is asked at once.
//!
//! What was to be sent without a link has left neighbours behind for whom the kernel goes on asking, once a second. Until
//! it does, answers to clients wait as soon as they go out of this interface again, and so do probes of peers.

use super::Engine;
use crate::config::track::Kind;

impl Engine {
    /// To be called when the check at this place is up and was down.
    pub(super) fn is_well_again(&self, check: usize) {
        let Kind::Interface { interface } = &self.health.entries()[check].check.kind else {
            return;
        };
        let mut ports = self.ports.iter();
        let Some(port) = ports.find(|port| port.link.name == *interface) else {
            return;
        };
        let (netlink, index) = (self.netlink.clone(), port.home.index);
        tokio::spawn(async move {
            if let Err(error) = netlink.forget_unresolved(index).await {
                tracing::debug!("{error}");
            }
        });
    }
}
