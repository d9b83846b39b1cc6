//! `[witness]`: who must be reachable before another node is presumed dead.

use toml::Spanned;

use super::super::{Witness, error::Report, file};

/// Whether the witness is an agent, and so among the peers.
pub(super) fn is_agent(file: &file::File) -> bool {
    let witness = file.witness.as_ref().map(Spanned::get_ref);
    let agent = witness.and_then(|witness| witness.agent.as_ref());
    agent.is_some_and(|agent| place(file, agent).is_some())
}

/// `None` if it is at fault, `Some(None)` if there is none.
pub(super) fn witness(file: &file::File, report: &mut Report<'_>) -> Option<Option<Witness>> {
    let Some(written) = &file.witness else {
        return Some(None);
    };
    let file::Witness {
        ping,
        interface,
        agent,
    } = written.get_ref();
    match (ping, interface, agent) {
        (Some(address), Some(interface), None) => ping_witness(address, interface, file, report),
        (None, None, Some(agent)) => agent_witness(agent, file, report),
        _ => {
            report.add(
                written.span(),
                "witness",
                "it is either a host that is pinged or another agent",
                "write ping = \"192.0.2.1\" with interface = \"eth0\", or agent = \"NAME\" of a [[peer]]",
            );
            None
        }
    }
    .map(Some)
}

fn ping_witness(
    address: &Spanned<String>,
    interface: &Spanned<String>,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<Witness> {
    let name = interface.get_ref();
    let is_known = file.interface.iter().any(|i| i.name.get_ref() == name);
    if !is_known {
        report.add(
            interface.span(),
            "witness.interface",
            format!("there is no interface \"{name}\" in this file"),
            format!("add [[interface]] with name = \"{name}\", or name one that is there"),
        );
    }
    let text = address.get_ref();
    let Some(address) = super::liveness::host(text) else {
        report.add(
            address.span(),
            "witness.ping",
            format!("\"{text}\" is not a single host's address"),
            "write the address of a host that answers pings and outlives both nodes, as of the router",
        );
        return None;
    };
    is_known.then(|| Witness::Ping {
        address,
        interface: name.clone(),
    })
}

fn agent_witness(
    agent: &Spanned<String>,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<Witness> {
    let found = place(file, agent);
    if found.is_none() {
        let name = agent.get_ref();
        report.add(
            agent.span(),
            "witness.agent",
            format!("there is no peer \"{name}\" in this file"),
            format!("add [[peer]] with name = \"{name}\" and the paths to it"),
        );
    }
    found.map(|peer| Witness::Agent { peer })
}

fn place(file: &file::File, agent: &Spanned<String>) -> Option<usize> {
    file.peer
        .iter()
        .position(|peer| peer.name.get_ref() == agent.get_ref())
}
