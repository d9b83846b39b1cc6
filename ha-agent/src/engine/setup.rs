//! From a configuration to an engine that is ready to run, and the kernel made to match.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use ha_common::{
    abi::{GROUP_ROUTER, GROUP_STALE_DROP, GROUP_VIRTUAL_MAC, Mac, Role, RoleWord},
    wire::vrrp,
};
use ha_core::{
    manual::Manual,
    plan::{self, Desired, DesiredVip, GroupFields, GroupName, VipKey},
    vrrp::{Machine, Primary, VrrpConfig},
};
use tokio::sync::mpsc;

use super::{
    Engine,
    announcer::Announcer,
    discards::Discards,
    group::{Group, Kind, Vrrp},
    history::History,
    peers::Peers,
    port::Port,
};
use crate::{
    config::{self, AnsweringMac, Config, Election, Stale},
    dataplane::{Attach, Dataplane},
    keeper::Keeper,
    net::{Addresses, Link, Membership, Netlink, PacketSocket, frame::solicited_node_mac},
};

/// How long an interface may take to get its addresses at boot.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(100);

impl Engine {
    /// Loads the data path, makes maps, routes and filters what `config` says, and opens the sockets.
    /// All groups are Backup.
    ///
    /// # Errors
    /// If an interface is missing or not usable, or the kernel refuses.
    pub async fn prepare(config: Config, netlink: Netlink) -> Result<Self> {
        let links = links(&config, &netlink).await?;
        let attach: Vec<Attach> = config
            .interfaces
            .iter()
            .zip(&links)
            .map(|(interface, link)| Attach {
                name: link.name.clone(),
                index: link.index,
                mode: interface.mode,
            })
            .collect();
        let dataplane = Dataplane::open(&config.node.pin_dir, &attach)?;
        let ports = ports(&config, &links, &netlink).await?;
        let groups = config
            .groups
            .iter()
            .map(|group| prepare_group(group, &ports))
            .collect::<Result<_>>()?;
        let (sender, lapses) = mpsc::unbounded_channel();
        let keeper = Keeper::start(Arc::clone(&dataplane.switch), config.node.lease, sender)?;
        let mut engine = Self {
            started: Instant::now(),
            announcer: Announcer::new(config.announce),
            peers: Peers::new(netlink.clone()),
            config,
            dataplane,
            netlink,
            keeper,
            lease: None,
            ports,
            groups,
            history: History::default(),
            discards: Discards::default(),
            lapses,
        };
        engine.reconcile().await?;
        engine.history.node("started", "the agent started");
        Ok(engine)
    }

    /// What the kernel half reports, to be handed to [`Engine::run`].
    ///
    /// # Errors
    /// If the ring buffer cannot be read.
    pub fn events(&self) -> Result<crate::dataplane::Events> {
        self.dataplane.events()
    }

    /// Makes the kernel's state the desired one.
    async fn reconcile(&mut self) -> Result<()> {
        self.silence_leftovers()?;
        let wanted: BTreeSet<IpAddr> = self
            .groups
            .iter()
            .flat_map(|group| group.vips.iter().copied().flatten())
            .collect();
        let found = self.netlink.local_routes().await?;
        // What is not wanted stops being local before it leaves the map, and what is wanted becomes
        // local after it has come into the map: in between the kernel would answer for it.
        self.netlink
            .del_local_routes(found.difference(&wanted).copied())
            .await?;
        self.write_maps()?;
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let vips: Vec<IpAddr> = group.vips.iter().copied().flatten().collect();
            self.make_local(group.ifindex, &vips).await?;
            let macs = [group.mac4, group.mac6];
            let own = self.ports[group.port].mac();
            let virtual_macs = macs.into_iter().filter(|mac| *mac != own);
            self.netlink
                .add_filters(group.ifindex, virtual_macs)
                .await?;
        }
        Ok(())
    }

    /// Writes Backup to every group that another agent left behind in another role.
    fn silence_leftovers(&mut self) -> Result<()> {
        let actual = self.dataplane.actual()?;
        for (slot, group) in (0..).zip(&actual.groups) {
            if Role::from_u8(group.word.role) != Role::Backup {
                let backup = RoleWord {
                    role: Role::Backup as u8,
                    peer: 0,
                    ..group.word
                };
                self.dataplane.groups.store(slot, backup);
            }
        }
        Ok(())
    }

    /// Writes what is not yet in the maps and removes what should not be, and notes the groups' slots.
    pub(super) fn write_maps(&mut self) -> Result<()> {
        let desired = self.desired()?;
        let plan = plan::plan(&desired, &self.dataplane.actual()?)?;
        self.dataplane.apply(&plan.writes)?;
        for group in &mut self.groups {
            let name = GroupName::new(&group.name)?;
            let slot = plan.slots.get(&name);
            group.slot = *slot.ok_or_else(|| anyhow!("the group {name} got no slot"))?;
        }
        Ok(())
    }

    fn desired(&self) -> Result<Desired> {
        let mut desired = Desired::default();
        for group in &self.groups {
            let name = GroupName::new(&group.name)?;
            desired
                .groups
                .insert(name, group.fields(self.ports[group.port].mac()));
            let keys = group
                .vips
                .iter()
                .flatten()
                .map(|vip| VipKey::new(*vip, group.vlan));
            let vip = DesiredVip {
                group: name,
                deliver: 0,
            };
            desired.vips.extend(keys.map(|key| (key, vip)));
        }
        Ok(desired)
    }

    /// Lets the host have packets for `vips`, and lets solicitations for them through the NIC.
    pub(super) async fn make_local(&self, ifindex: u32, vips: &[IpAddr]) -> Result<()> {
        self.netlink.add_filters(ifindex, solicited(vips)).await?;
        Ok(self.netlink.add_local_routes(vips.iter().copied()).await?)
    }

    /// Takes back [`Engine::make_local`], but for what another address still needs.
    pub(super) async fn unmake_local(&self, ifindex: u32, vips: &[IpAddr]) -> Result<()> {
        let others = || self.groups.iter().filter(|group| group.ifindex == ifindex);
        let kept: Vec<IpAddr> = others()
            .flat_map(|g| g.vips.iter().copied().flatten())
            .collect();
        let local: BTreeSet<IpAddr> = self
            .groups
            .iter()
            .flat_map(|group| group.vips.iter().copied().flatten())
            .collect();
        let gone = vips.iter().copied().filter(|vip| !local.contains(vip));
        self.netlink.del_local_routes(gone).await?;
        let needed = solicited(&kept);
        let macs = solicited(vips)
            .into_iter()
            .filter(|mac| !needed.contains(mac));
        Ok(self.netlink.del_filters(ifindex, macs).await?)
    }
}

/// The Ethernet groups to which solicitations for `vips` are sent.
fn solicited(vips: &[IpAddr]) -> BTreeSet<Mac> {
    let macs = vips.iter().filter_map(|vip| match vip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(solicited_node_mac(*v6)),
    });
    macs.collect()
}

impl Group {
    fn fields(&self, nic: Mac) -> GroupFields {
        GroupFields {
            ifindex: self.ifindex,
            flags: self.flags,
            vrid: self
                .election
                .vrrp()
                .map_or(0, |vrrp| vrrp.machine.config().vrid.get()),
            mac4: self.mac4,
            mac6: self.mac6,
            nic,
        }
    }
}

async fn links(config: &Config, netlink: &Netlink) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for interface in &config.interfaces {
        let name = &interface.name;
        let Some(link) = netlink.link(name).await? else {
            bail!("there is no interface {name}: correct [[interface]] name, or create it first");
        };
        links.push(link);
    }
    Ok(links)
}

async fn ports(config: &Config, links: &[Link], netlink: &Netlink) -> Result<Vec<Port>> {
    let mut ports = Vec::new();
    for (interface, link) in config.interfaces.iter().zip(links) {
        let name = &link.name;
        let socket = PacketSocket::open(link.index).with_context(|| {
            format!("cannot open a packet socket on {name} (needs CAP_NET_RAW)")
        })?;
        let membership = Membership::join(link.index)
            .with_context(|| format!("cannot listen for VRRP on {name}"))?;
        ports.push(Port {
            mode: interface.mode,
            addresses: addresses(config, link, netlink).await?,
            link: link.clone(),
            socket,
            _membership: membership,
            unsent: 0,
        });
    }
    Ok(ports)
}

/// The interface's own addresses; waits for those that its groups need.
async fn addresses(config: &Config, link: &Link, netlink: &Netlink) -> Result<Addresses> {
    let end = Instant::now() + PATIENCE;
    loop {
        let addresses = netlink.addresses(link.index).await?;
        let own = config
            .groups
            .iter()
            .filter(|group| group.interface == link.name);
        let missing = own
            .filter_map(|group| primary(group, addresses).err())
            .next();
        match missing {
            None => return Ok(addresses),
            Some(error) if Instant::now() >= end => return Err(error),
            Some(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// The addresses from which a group advertises.
fn primary(group: &config::Group, own: Addresses) -> Result<Option<Primary>> {
    if group.election == Election::Manual {
        return Ok(None);
    }
    let (name, interface) = (&group.name, &group.interface);
    let v4 = group.vips.iter().any(IpAddr::is_ipv4);
    let v6 = group.vips.iter().any(IpAddr::is_ipv6);
    let need4 = || {
        own.v4.ok_or_else(|| {
            anyhow!(
                "{interface} has no IPv4 address from which the group {name} could advertise: \
                 `ip address add` one"
            )
        })
    };
    let need6 = || {
        own.link_local.ok_or_else(|| {
            anyhow!(
                "{interface} has no link-local IPv6 address from which the group {name} could \
                 advertise: bring it up with IPv6 enabled"
            )
        })
    };
    Ok(Some(match (v4, v6) {
        (true, true) => Primary::Dual(need4()?, need6()?),
        (false, true) => Primary::V6(need6()?),
        (true, false) => Primary::V4(need4()?),
        (false, false) => bail!("the group {name} has no virtual IPs: add some, or remove it"),
    }))
}

fn prepare_group(group: &config::Group, ports: &[Port]) -> Result<Group> {
    let find = |port: &Port| port.link.name == group.interface;
    let port = ports
        .iter()
        .position(find)
        .context("a group names an unknown interface")?;
    let (link, own) = (&ports[port].link, ports[port].addresses);
    let (mac4, mac6, virtual_flag) = match group.mac {
        AnsweringMac::Virtual(vrid) => (
            vrrp::virtual_mac4(vrid.get()),
            vrrp::virtual_mac6(vrid.get()),
            GROUP_VIRTUAL_MAC,
        ),
        AnsweringMac::Interface => (link.mac, link.mac, 0),
    };
    let stale = match group.stale {
        Stale::Forward => 0,
        Stale::Drop => GROUP_STALE_DROP,
    };
    let election = match (group.election, primary(group, own)?) {
        (Election::Vrrp(settings), Some(primary)) => Kind::Vrrp(Box::new(Vrrp {
            machine: Machine::new(VrrpConfig {
                vrid: settings.vrid,
                priority: settings.priority,
                advert_interval: settings.advert_interval,
                preempt: settings.preempt,
                primary,
                yield_grace: settings.yield_grace,
                contention: settings.contention,
            }),
            checksum: settings.checksum,
        })),
        (Election::Vrrp(_) | Election::Manual, _) => Kind::Manual(Manual::new()),
    };
    Ok(Group {
        name: group.name.clone(),
        slot: 0,
        port,
        ifindex: link.index,
        vlan: group.vlan,
        mac4,
        mac6,
        flags: virtual_flag | stale | if group.router { GROUP_ROUTER } else { 0 },
        router: group.router,
        vips: group.vips.iter().copied().map(Some).collect(),
        election,
        active: None,
        changed: None,
    })
}
