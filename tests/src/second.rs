//! Two nodes of which the first has two interfaces on the switch.

use std::{net::Ipv4Addr, time::Duration};

use crate::{
    address, agent,
    lab::Lab,
    node::{INTERFACE, SECOND},
};

/// What the agents of such nodes are told: the way to the other one by the second interface, too, and the first of
/// them where it may serve. `local` are more keys of that.
#[must_use]
pub fn tables(lab: &Lab, node: u8, interval: Duration, local: &str) -> String {
    if node == 0 {
        let other = lab.node(1);
        let peer = agent::peer(other, interval);
        let peer = with_path(&peer, SECOND, other.station().v4);
        format!(
            "[group.local]\nfallback = [\"{SECOND}\"]\n{local}\n[[interface]]\nname = \"{SECOND}\"\n{peer}"
        )
    } else {
        let peer = agent::peer(lab.node(0), interval);
        with_path(&peer, INTERFACE, address::second(0).v4)
    }
}

fn with_path(peer: &str, interface: &str, address: Ipv4Addr) -> String {
    let path = format!("paths = [\n  {{ interface = \"{interface}\", address = \"{address}\" }},");
    peer.replacen("paths = [", &path, 1)
}
