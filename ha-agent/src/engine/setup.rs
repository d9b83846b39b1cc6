//! From a configuration to an engine that is ready to run, and the kernel made to match.

mod groups;
mod ports;

use std::{sync::Arc, time::Instant};

use anyhow::Result;
use tokio::sync::mpsc;

use self::ports::{links, ports};
pub(super) use self::{
    groups::{groups, routers},
    ports::{missing, primary},
};
use super::{
    Engine, admission, announcer::Announcer, answers, death, fitness::checks, guests::Guests,
    history::History, peers::Peers, port::Port, recovery, reload::Reloads, tags, vanished::Lookout,
};
use crate::{
    admission::Admissions,
    config::{Loaded, Source},
    dataplane::{Attach, Dataplane},
    discards::Discards,
    fault::{self, Point},
    health::{Health, Means, Processes, Vips},
    keeper::Keeper,
    net::{Changes, Netlink},
};

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
        tags::turn_off(&tags::look(&config, &netlink).await?).await?;
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
