//! From a configuration to an engine that is ready to run, and the kernel made to match.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use ha_common::{
    abi::{GROUP_ROUTER, GROUP_STALE_DROP, GROUP_VIRTUAL_MAC, Vlan},
    wire,
};
use ha_core::{
    manual::Manual,
    track::Fitness,
    vrrp::{self, Machine, Primary, VrrpConfig},
};
use tokio::sync::mpsc;

use super::{
    Engine, admission,
    announcer::Announcer,
    answers::{self, Answers},
    bond, death,
    fitness::{checks, tracks},
    group::{Group, Kind, Vrrp},
    guests::Guests,
    history::History,
    peers::Peers,
    port::{Ground, Port, Presence},
    recovery,
    reload::Reloads,
    tags,
    vanished::Lookout,
};
use crate::{
    admission::Admissions,
    config::{self, AnsweringMac, Config, Election, Loaded, Source, Stale, track::Check},
    dataplane::{Attach, Dataplane},
    discards::Discards,
    fault::{self, Point},
    health::{Health, Means, Processes, Vips},
    keeper::Keeper,
    net::{Addresses, Changes, Link, Netlink},
};

/// How long an interface may take to get its addresses at boot.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(100);
/// How long it takes to tell a lost peer that it is: the way there, and the data path.
const LOSS_GRACE: Duration = Duration::from_millis(1);
impl Engine {
    /// Loads the data path, makes maps, routes and filters what `config` says, and opens the sockets.
    /// All groups are Backup, or where the agent before this one left them if its lease is still valid.
    ///
    /// # Errors
    /// If an interface is missing or not usable, or the kernel refuses.
    pub async fn prepare(loaded: Loaded, source: Source, netlink: Netlink) -> Result<Self> {
        let Loaded { config, sum } = loaded;
        let links = links(&config, &netlink).await?;
        let attach: Vec<Attach> = config
            .interfaces
            .iter()
            .zip(&links)
            .map(|(interface, link)| Attach {
                link: link.clone(),
                mode: interface.mode,
            })
            .collect();
        tags::turn_off(&tags::look(&config).await?).await?;
        let pin_dir = &config.node.pin_dir;
        let found = Dataplane::found(pin_dir, &attach)?;
        fault::reached(Point::Found);
        let left = answers::left(&config, found.as_ref())?;
        let ports = ports(&config, &links, &netlink).await?;
        fault::reached(Point::Sockets);
        let grounds: Vec<_> = ports.iter().map(Port::ground).collect();
        let (mut dataplane, admissions) = match found {
            Some(found) => (found, Admissions::new()),
            None => {
                // Before anything is loaded: some drivers take the link away when a program comes.
                let admissions = admission::find_out_for_all(&config, &grounds, &netlink).await?;
                (Dataplane::open(pin_dir, &attach)?, admissions)
            }
        };
        let checks = checks(&config);
        let places = recovery::found(&config, &grounds, &dataplane)?;
        let mut groups = groups(&config, &grounds, &checks, &places)?;
        for ((group, config), left) in groups.iter_mut().zip(&config.groups).zip(&left) {
            let nic = grounds[group.port].home.mac;
            admission::settle(group, config, &admissions, nic);
            answers::go_on(group, *left, nic);
        }
        let bfd = super::bfd::start(&config, &grounds, &mut dataplane)?;
        let changes = Changes::listen()?;
        let guests = Guests::prepare(&config, &grounds, &dataplane, &netlink, &changes).await?;
        let means = Means {
            netlink: netlink.clone(),
            changes,
            processes: Processes::new(None),
            standings: bfd.standings(),
            vips: Vips::default(),
        };
        let (sender, lapses) = mpsc::unbounded_channel();
        let keeper = Keeper::start(Arc::clone(&dataplane.switch), config.node.lease, sender)?;
        let mut engine = Self {
            started: Instant::now(),
            announcer: Announcer::new(config.announce),
            peers: Peers::new(netlink.clone(), &ports),
            guests,
            config,
            dataplane,
            netlink,
            keeper,
            lease: None,
            ports,
            routers: routers(&groups),
            groups,
            history: History::default(),
            discards: Discards::new("an advertisement"),
            liveness: None,
            mute: super::mute::Mute::default(),
            bfd,
            witness: None,
            health: Health::start(Vec::new(), &means),
            processes: means.processes.clone(),
            means: means.clone(),
            reloads: Reloads::new(source, sum),
            moves: super::switchover::Moves::default(),
            reach: super::local::Reach::Own,
            moving: Vec::new(),
            lookout: Lookout::new(),
            targets: recovery::Targets::new(),
            lapses,
        };
        if let Some(load) = engine.dataplane.loader() {
            engine.succeed(load).await?;
            engine.admit_others(&left).await?;
        }
        let mut exits = engine.dataplane.take_exits();
        death::prepare(engine.config.node.on_exit, exits.as_mut())?;
        let means = Means {
            processes: Processes::new(exits),
            ..means
        };
        engine.processes = means.processes.clone();
        engine.health = Health::start(checks, &means);
        engine.means = means;
        engine.vips_changed();
        engine.set_local_clients();
        engine.reconcile().await?;
        fault::reached(Point::Reconciled);
        engine.watch_peers()?;
        fault::reached(Point::Watching);
        engine.be_alone()?;
        engine.call_witness()?;
        engine.set_targets();
        engine.look_out();
        engine.history.node("started", "the agent started");
        for index in 0..engine.groups.len() {
            engine.tell_answers(index);
        }
        Ok(engine)
    }

    /// What the kernel half reports, to be handed to [`Engine::run`].
    ///
    /// # Errors
    /// If the ring buffer cannot be read.
    pub fn events(&self) -> Result<crate::dataplane::Events> {
        self.dataplane.events()
    }
}

/// The groups of the configuration, whose elections have not begun. `places` are the interfaces on which they are to
/// begin, if that is not the first one.
pub(super) fn groups(
    config: &Config,
    grounds: &[Ground],
    checks: &[Check],
    places: &[Option<String>],
) -> Result<Vec<Group>> {
    let about = About {
        lease: config.node.lease,
        is_pair: config.rivals() == 1,
        needs_witness: config.witness.is_some(),
    };
    let sync_of = |index| {
        let mut syncs = config.syncs.iter();
        syncs.position(|sync| sync.groups.contains(&index))
    };
    let groups = config.groups.iter().enumerate();
    groups
        .map(|(index, group)| {
            let on = places.get(index).and_then(Option::as_deref);
            let on = on.filter(|on| group.interfaces().any(|name| name == *on));
            let on = on.unwrap_or(&group.interface);
            prepare_group(group, grounds, checks, sync_of(index), about, on)
        })
        .collect()
}

async fn links(config: &Config, netlink: &Netlink) -> Result<Vec<Link>> {
    let mut links = Vec::new();
    for interface in &config.interfaces {
        links.push(link(interface, netlink).await?);
    }
    Ok(links)
}

/// The interface that is configured so.
async fn link(interface: &config::Interface, netlink: &Netlink) -> Result<Link> {
    let name = &interface.name;
    let link = netlink.link(name).await?.with_context(|| missing(name))?;
    bond::check(interface)?;
    Ok(link)
}

/// What is said of an interface that is not there.
pub(super) fn missing(name: &str) -> String {
    format!("there is no interface {name}: correct [[interface]] name, or create it first")
}

async fn ports(config: &Config, links: &[Link], netlink: &Netlink) -> Result<Vec<Port>> {
    let mut ports = Vec::new();
    for link in links {
        let home = netlink.home(link).await?;
        let ground = Ground {
            addresses: addresses(config, link, &home, netlink).await?,
            home,
            link: link.clone(),
            presence: Presence::New,
        };
        ports.push(Port::open(ground)?);
    }
    Ok(ports)
}

/// The interface's own addresses; waits for those that its groups need.
async fn addresses(
    config: &Config,
    link: &Link,
    home: &Link,
    netlink: &Netlink,
) -> Result<Addresses> {
    let end = Instant::now() + PATIENCE;
    loop {
        let addresses = netlink.addresses(home.index).await?;
        let own = config
            .groups
            .iter()
            .filter(|group| group.interfaces().any(|name| name == link.name));
        let missing = own
            .filter_map(|group| primary(group, &link.name, addresses).err())
            .next();
        match missing {
            None => return Ok(addresses),
            Some(error) if Instant::now() >= end => return Err(error),
            Some(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// The addresses from which a group advertises on this interface.
pub(super) fn primary(
    group: &config::Group,
    interface: &str,
    own: Addresses,
) -> Result<Option<Primary>> {
    if group.election == Election::Manual {
        return Ok(None);
    }
    let name = &group.name;
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

/// By what an advertisement is known to be for a group.
pub(super) fn routers(groups: &[Group]) -> HashMap<(usize, Vlan, u8), usize> {
    let routers = groups.iter().enumerate().filter_map(|(index, group)| {
        let vrid = group.election.vrrp()?.machine.config().vrid.get();
        Some(((group.port, group.vlan, vrid), index))
    });
    routers.collect()
}

/// The peers of a group, of which this node must not be one.
fn foreign_peers(group: &config::Group, peers: &vrrp::Peers, own: Primary) -> Result<vrrp::Peers> {
    if let vrrp::Peers::Unicast(list) = peers
        && let Some(own) = list.iter().find(|address| own.contains(**address))
    {
        bail!(
            "group {}: the peer {own} is this node's own address: remove it from `peers`",
            group.name
        );
    }
    Ok(peers.clone())
}

/// What of the node concerns all of its groups.
#[derive(Clone, Copy, Debug)]
struct About {
    lease: Duration,
    is_pair: bool,
    needs_witness: bool,
}

fn prepare_group(
    group: &config::Group,
    grounds: &[Ground],
    checks: &[Check],
    sync: Option<usize>,
    about: About,
    on: &str,
) -> Result<Group> {
    let find = |name: &str| {
        let place = grounds.iter().position(|g| g.link.name == name);
        place.context("a group names an unknown interface")
    };
    let port = find(on)?;
    let ways = group.interfaces().map(find).collect::<Result<Vec<_>>>()?;
    let ground = &grounds[port];
    let (link, nic, own) = (&ground.link, ground.home.mac, ground.addresses);
    let (mac4, mac6, virtual_flag) = match group.mac {
        AnsweringMac::Virtual(vrid) => (
            wire::vrrp::mac4(vrid.get()),
            wire::vrrp::mac6(vrid.get()),
            GROUP_VIRTUAL_MAC,
        ),
        AnsweringMac::Interface => (nic, nic, 0),
    };
    let stale = match group.stale {
        Stale::Forward => 0,
        Stale::Drop => GROUP_STALE_DROP,
    };
    let base = match &group.election {
        Election::Vrrp(settings) => settings.priority.get(),
        Election::Manual => 0,
    };
    let election = match (&group.election, primary(group, on, own)?) {
        (Election::Vrrp(settings), Some(primary)) => Kind::Vrrp(Box::new(Vrrp {
            machine: Machine::new(VrrpConfig {
                version: settings.version,
                vrid: settings.vrid,
                priority: settings.priority,
                advert_interval: settings.advert_interval,
                preempt: settings.preempt,
                preempt_delay: settings.preempt_delay,
                startup_delay: settings.startup_delay,
                primary,
                peers: foreign_peers(group, &settings.peers, primary)?,
                settle: settings.settle,
                yield_grace: settings.yield_grace,
                contention: settings.contention,
                loss_grace: LOSS_GRACE,
                silent_grace: about
                    .lease
                    .saturating_sub(config::longest_lease(settings.advert_interval.duration())),
                needs_witness: about.needs_witness,
                is_pair: about.is_pair,
                is_synced: sync.is_some(),
            }),
            checksum: settings.checksum,
        })),
        (Election::Vrrp(_) | Election::Manual, _) => Kind::Manual(Manual::new()),
    };
    Ok(Group {
        name: group.name.clone(),
        slot: 0,
        port,
        cut: vec![false; ways.len()],
        ways,
        returns_after: group.local.as_ref().and_then(|local| local.returns_after),
        returns_at: None,
        ifindex: link.index,
        vlan: group.vlan,
        mac4,
        mac6,
        answers: Answers::AsConfigured,
        flags: virtual_flag | stale | if group.router { GROUP_ROUTER } else { 0 },
        router: group.router,
        vips: group.vips.iter().copied().map(Some).collect(),
        delivery: group.delivery.clone(),
        base,
        tracks: tracks(group, checks),
        fitness: Fitness::Eligible { priority: base },
        sync,
        election,
        active: None,
        changed: None,
    })
}
