//! The data path of a running agent.

mod interfaces;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use ha_common::{
    abi::{Deliver, Mac, Peer, Stale, StaleKey, Traffic, Vip, Vlan, map, program},
    lease::LeaseState,
    reason::{Reason, Verdict},
};
use ha_core::plan::{Actual, Routers, VipKey, Write};

use super::{
    Attach, DeliverMaps, Events, Exits, GroupMap, LeaseSwitch, Liveness, Losses, Maps, PeerMaps,
    PinDir, RouterMaps, StaleMap, Stamps, StatMaps, VipMaps, attach, echo, load, local,
    pin::PinLock, programs::Programs,
};

/// The data path: its maps, its programs, and the right to change them.
#[derive(Debug)]
pub struct Dataplane {
    /// Who has which group.
    pub groups: Arc<GroupMap>,
    /// The dead-man's switch.
    pub switch: Arc<LeaseSwitch>,
    pins: PinDir,
    /// The interfaces by index, and their own MACs.
    attached: BTreeMap<u32, Mac>,
    vips: VipMaps,
    /// What `vips` holds; nobody else writes there.
    known: BTreeMap<VipKey, Vip>,
    peers: PeerMaps,
    routers: RouterMaps,
    deliver: DeliverMaps,
    stale: StaleMap,
    stats: StatMaps,
    attach: Vec<Attach>,
    /// `None` while those of the agent before this one go on.
    programs: Option<Programs>,
    _lock: PinLock,
}

impl Dataplane {
    /// Loads the programs, takes over the maps that are pinned below `pin_dir` or makes them, and
    /// attaches the data path to the interfaces in `attach`. Where an older one is attached it is
    /// replaced without a moment between the two.
    ///
    /// # Errors
    /// If another agent is there, a pin is not what it should be, or the kernel refuses.
    pub fn open(pin_dir: &Path, attach: &[Attach]) -> Result<Self> {
        let pins = PinDir::new(pin_dir);
        pins.create()?;
        let lock = pins.lock()?;
        let programs = Programs::load(&pins, attach)?;
        let mut dataplane = Self::over(pins, lock, attach)?;
        dataplane.peers.clear()?;
        dataplane.programs = Some(programs);
        Ok(dataplane)
    }

    /// The data path that another agent left behind, as it is, if that agent's lease is still valid: nothing is
    /// loaded, and nothing changed, before [`Dataplane::loader`] has run.
    ///
    /// # Errors
    /// As [`Dataplane::open`].
    pub fn found(pin_dir: &Path, attach: &[Attach]) -> Result<Option<Self>> {
        let pins = PinDir::new(pin_dir);
        if !pins.program(program::LEASE).exists() {
            return Ok(None);
        }
        let lock = pins.lock()?;
        load::check(&pins)?;
        // One that was killed while it made them has made none of these.
        if !map::ALL.iter().all(|name| pins.map(name).exists()) {
            return Ok(None);
        }
        let found = Self::over(pins, lock, attach)?;
        let lease = found.switch.node()?.lease;
        Ok((LeaseState::from_u8(lease.state) == LeaseState::Valid).then_some(found))
    }

    /// What is pinned.
    fn over(pins: PinDir, lock: PinLock, attach: &[Attach]) -> Result<Self> {
        let maps = Maps::open(&pins)?;
        Ok(Self {
            groups: Arc::new(maps.groups),
            switch: Arc::new(LeaseSwitch::open(&pins)?),
            known: maps.vips.read()?,
            vips: maps.vips,
            peers: maps.peers,
            routers: maps.routers,
            deliver: maps.deliver,
            stale: maps.stale,
            stats: maps.stats,
            attached: attach
                .iter()
                .map(|attach| (attach.link.index, attach.link.mac))
                .collect(),
            attach: attach.to_vec(),
            programs: None,
            pins,
            _lock: lock,
        })
    }

    /// Loads this agent's programs and puts them in the place of those that were found, without a moment
    /// between the two; `None` if that is done. It takes long, and may run in a thread of its own.
    pub fn loader(&self) -> Option<impl FnOnce() -> Result<Programs> + Send + use<>> {
        let (pins, attach) = (self.pins.clone(), self.attach.clone());
        let load = move || Programs::load(&pins, &attach);
        self.programs.is_none().then_some(load)
    }

    /// Goes on with what [`Dataplane::loader`] has loaded.
    ///
    /// # Errors
    /// If the program for the lease is not there.
    pub fn use_programs(&mut self, programs: Programs) -> Result<()> {
        self.programs = Some(programs);
        self.switch.renew_program(&self.pins)
    }

    /// Whether the data path was found on this interface, so that its program serves there.
    #[must_use]
    pub fn is_attached(&self, ifindex: u32) -> bool {
        self.pins.link(ifindex).exists()
    }

    /// The VLAN tags of the virtual IPs that a slot has.
    #[must_use]
    pub fn vlans(&self, slot: u32) -> BTreeSet<Vlan> {
        let known = self.known.iter().filter(|(_, vip)| vip.group == slot);
        known.map(|(key, _)| key.vlan()).collect()
    }

    /// The peers that another agent has put into slots.
    ///
    /// # Errors
    /// The kernel's.
    pub fn known_peers(&self) -> Result<Vec<(u16, Peer)>> {
        self.peers.read()
    }

    /// Where everything is pinned.
    #[must_use]
    pub fn pin_dir(&self) -> &Path {
        self.pins.path()
    }

    /// What reports the end of processes, once.
    pub fn take_exits(&mut self) -> Option<Exits> {
        self.programs.as_mut()?.exits.take()
    }

    /// Counts what is lost on the last step to guests, from the first call on.
    ///
    /// # Errors
    /// If the tracing file system is not mounted, or the kernel refuses.
    pub fn count_losses(&mut self) -> Result<Losses> {
        let programs = self.programs.as_mut();
        Losses::open(&mut programs.context("the programs are not loaded yet")?.ebpf)
    }

    /// Sends this host's own programs to the Active nodes, in place of the agent's before at once.
    ///
    /// # Errors
    /// If the programs are not loaded yet, or the kernel refuses.
    pub fn attach_local(&mut self) -> Result<()> {
        let programs = self.programs.as_mut().context("no program is loaded")?;
        local::attach(&mut programs.ebpf, &self.pins)
    }

    /// Has an interface let in what Active nodes answer to them. Returns whether it did not before.
    ///
    /// # Errors
    /// If the programs are not loaded yet, or the setting cannot be changed.
    pub fn accept_local(&mut self, name: &str, index: u32) -> Result<bool> {
        let programs = self.programs.as_mut().context("no program is loaded")?;
        local::accept(&mut programs.ebpf, &self.pins, name, index)
    }

    /// Takes back both.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn detach_local(&self) -> Result<()> {
        local::remove(&self.pins)
    }

    /// Passes on what the programs have logged.
    pub fn flush_log(&mut self) {
        if let Some(programs) = &mut self.programs {
            programs.lines.flush();
        }
    }

    /// Takes an older agent's data path off all other interfaces.
    ///
    /// # Errors
    /// If a pin cannot be removed.
    pub fn detach_others(&self) -> Result<()> {
        let attached: Vec<u32> = self.attached.keys().copied().collect();
        attach::keep_only(&self.pins, &attached)
    }

    /// Slot of the group that a virtual IP belongs to.
    #[must_use]
    pub fn owner(&self, vip: VipKey) -> Option<u32> {
        self.known.get(&vip).map(|vip| vip.group)
    }

    /// What groups and virtual IPs there are.
    #[must_use]
    pub fn actual(&self) -> Actual {
        Actual {
            groups: self.groups.groups(),
            vips: self.known.clone(),
        }
    }

    /// Makes the writes of a plan, in their order.
    ///
    /// # Errors
    /// At the first one that the kernel refuses.
    pub fn apply(&mut self, writes: &[Write]) -> Result<()> {
        for write in writes {
            match *write {
                Write::PutVip { key, value } => {
                    self.vips.put(key, value)?;
                    self.known.insert(key, value);
                }
                Write::RemoveVip { key } => {
                    self.vips.remove(key)?;
                    self.known.remove(&key);
                }
                Write::SetGroup { slot, .. } | Write::ClearGroup { slot } => {
                    // The plan's copy knows which fields the write is about.
                    let mut copy = Actual {
                        groups: self.groups.groups(),
                        vips: BTreeMap::new(),
                    };
                    copy.apply(write);
                    if let Some(group) = copy.groups.get(slot as usize) {
                        self.groups.set_fields(slot, group);
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes these the virtual routers whose advertisements silence this node. Their groups must have
    /// their slots.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_routers(&mut self, routers: &Routers) -> Result<()> {
        self.routers.set(routers)
    }

    /// Answers liveness probes for these discriminators, and stamps what is heard of these peers; in the `fresh`
    /// slots from the beginning.
    ///
    /// # Errors
    /// The kernel's.
    pub fn watch(&self, liveness: &Liveness, fresh: &BTreeSet<u32>) -> Result<Stamps> {
        Stamps::open(&self.pins, liveness, fresh)
    }

    /// Sends back the BFD echo packets of these neighbours, each with the index of the interface on which it
    /// is, and of nobody else.
    ///
    /// # Errors
    /// If the data path is not on such an interface, there is no room, or the kernel refuses.
    pub fn loop_echoes(&self, neighbours: &BTreeSet<(IpAddr, u32)>) -> Result<()> {
        echo::set(&self.pins, &echo::entries(&self.attached, neighbours)?)
    }

    /// Puts a peer into a slot that no role word names.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_peer(&mut self, slot: u16, peer: &Peer) -> Result<()> {
        self.peers.put(slot, *peer)
    }

    /// The delivery targets that there are, by slot.
    ///
    /// # Errors
    /// The kernel's.
    pub fn targets(&self) -> Result<BTreeMap<u32, Deliver>> {
        self.deliver.read()
    }

    /// Writes a delivery target; `ifindex` is where frames are redirected to, if they are.
    ///
    /// # Errors
    /// The kernel's, as if the interface has just gone.
    pub fn put_target(&mut self, slot: u32, target: Deliver, ifindex: u32) -> Result<()> {
        self.deliver.put(slot, target, ifindex)
    }

    /// Frees the slot of a delivery target that no virtual IP names any more.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear_target(&mut self, slot: u32) -> Result<()> {
        self.deliver.clear(slot)
    }

    /// Forgets the peer in a slot that no role word of a group names.
    ///
    /// # Errors
    /// The kernel's.
    pub fn forget_peer(&mut self, slot: u16) -> Result<()> {
        self.peers.remove(slot)
    }

    /// Frames by reason.
    ///
    /// # Errors
    /// The kernel's.
    pub fn reasons(&self) -> Result<Vec<(Reason, Traffic)>> {
        self.stats.reasons()
    }

    /// Frames of the group in a slot by verdict.
    ///
    /// # Errors
    /// The kernel's.
    pub fn traffic(&self, slot: u32) -> Result<Vec<(Verdict, Traffic)>> {
        self.stats.traffic(slot)
    }

    /// Who still uses this node for the group in a slot.
    ///
    /// # Errors
    /// The kernel's.
    pub fn stale(&self, slot: u32) -> Result<Vec<(StaleKey, Stale)>> {
        self.stale.of(slot)
    }

    /// What the kernel reports from now on.
    ///
    /// # Errors
    /// If the ring cannot be read.
    pub fn events(&self) -> Result<Events> {
        Events::open(&self.pins)
    }
}
