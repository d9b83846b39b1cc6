//! Bonds and their ports.

use super::netlink::{Netlink, NetlinkError};

impl Netlink {
    /// The names of a bond's ports; none if there is no bond of this name.
    ///
    /// # Errors
    /// [`NetlinkError`] if the kernel does not answer.
    pub async fn bond_ports(&self, name: &str) -> Result<Vec<String>, NetlinkError> {
        let Some(link) = self.link(name).await?.filter(|link| link.bond.is_some()) else {
            return Ok(Vec::new());
        };
        let links = self.links().await?.into_iter();
        let ports = links.filter(|port| port.master == Some(link.index));
        Ok(ports.map(|port| port.name).collect())
    }
}

/// The NICs whose drivers run a program that is put on an interface in native mode: those of its ports, if it is a bond
/// (`bond_xdp_set`, `drivers/net/bonding/bond_main.c`).
#[must_use]
pub fn receivers(name: &str, ports: Vec<String>) -> Vec<String> {
    if ports.is_empty() {
        vec![name.to_owned()]
    } else {
        ports
    }
}
