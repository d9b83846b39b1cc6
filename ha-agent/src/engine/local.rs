//! This host's own programs as clients of the virtual IPs: they reach the node that has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ha_common::abi::Vlan;

use super::{Engine, group::Group};
use crate::{
    config::LocalClients,
    net::{ClientRoute, accept_local},
};

/// Whom this host's own programs reach at a virtual IP that another node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The node that has it.
    Active,
    /// This host.
    Own,
    /// This host, although they should reach the other one. Why.
    Failed(String),
}

impl Reach {
    /// As the status says it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Active => "active".to_owned(),
            Self::Own => "own".to_owned(),
            Self::Failed(why) => format!("own: {why}"),
        }
    }
}

impl Engine {
    /// Does what the configuration says. Nothing else depends on it, so a failure is said and left at that.
    pub(super) fn set_local_clients(&mut self) {
        let done = match self.config.node.local_clients {
            LocalClients::Active => self.dataplane.attach_local().map(|()| Reach::Active),
            LocalClients::Own => self.dataplane.detach_local().map(|()| Reach::Own),
        };
        self.reach = done.unwrap_or_else(|error| {
            tracing::warn!("programs on this host reach this host at virtual IPs: {error:#}");
            Reach::Failed(format!("{error:#}"))
        });
        if self.reach == Reach::Active {
            self.let_answers_in();
        }
    }

    /// Has the answers of Active nodes let in, which come from addresses that are local here.
    fn let_answers_in(&mut self) {
        let groups = self.groups.iter();
        let groups = groups.filter(|group| is_reached(group) && !self.ports[group.port].is_gone);
        let with_v4 = groups.filter(|group| group.vips.iter().flatten().any(IpAddr::is_ipv4));
        let served: BTreeMap<u32, String> = with_v4
            .map(|group| (group.ifindex, self.ports[group.port].link.name.clone()))
            .collect();
        for (index, name) in served {
            match self.dataplane.accept_local(&name, index) {
                Ok(true) => tracing::info!(
                    "net.ipv4.conf.{name}.accept_local was off and is on now, for programs on this host that \
                     connect to virtual IPs (`node.local_clients`)"
                ),
                Ok(false) => {}
                Err(error) => {
                    let why =
                        format!("{error:#}: run `sysctl net.ipv4.conf.{name}.accept_local=1`");
                    tracing::warn!(
                        "programs on this host get no answer from IPv4 virtual IPs: {why}"
                    );
                    self.reach = Reach::Failed(why);
                }
            }
            if accept_local::is_filtered(&name) {
                tracing::warn!(
                    "programs on this host get no answer from IPv4 virtual IPs while \
                     net.ipv4.conf.{name}.rp_filter or that of all is 1: set it to 2"
                );
            }
        }
    }

    /// The routes that such programs need.
    pub(super) fn client_routes(&self) -> BTreeSet<ClientRoute> {
        match self.reach {
            Reach::Active => {
                let there = self.groups.iter().filter(|g| !self.ports[g.port].is_gone);
                there.flat_map(|g| self.routes_to(g)).collect()
            }
            Reach::Own | Reach::Failed(_) => BTreeSet::new(),
        }
    }

    /// Those to the addresses of a group that it has now.
    fn routes_to<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = ClientRoute> + 'a {
        let port = &self.ports[group.port];
        let (own, mtu) = (port.addresses.v4, port.link.mtu);
        let vips = group.own_vips().filter(|_| is_reached(group));
        vips.filter_map(move |vip| {
            let source = match vip {
                IpAddr::V4(_) => Some(own?),
                // Who sends there names the interface, and so goes out of it anyway.
                IpAddr::V6(v6) if v6.is_unicast_link_local() => return None,
                IpAddr::V6(_) => None,
            };
            Some(ClientRoute { vip, source, mtu })
        })
    }
}

/// Packets of the host's own are on no VLAN before they are sent.
fn is_reached(group: &Group) -> bool {
    group.vlan == Vlan::default()
}
