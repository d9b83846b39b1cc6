//! The data path of a running agent.

mod counters;
mod interfaces;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use ha_common::abi::{Deliver, Peer, Port, Vip, Vlan};
use ha_core::plan::{Actual, Routers, VipKey, Write};

use super::{
    Attach, Events, Exits, GroupMap, LeaseSwitch, Liveness, Losses, Maps, PinDir, Stamps, Tables,
    attach,
    attached::Attached,
    cross::{self, Crossing},
    echo, load, local,
    pin::PinLock,
    ports,
    predecessor::{self, Predecessor},
    programs::Programs,
};
use crate::fault::{self, Point};

const NOT_YET: &str = "the maps of this agent's schema are not made yet";

/// The data path: its maps, its programs, and the right to change them.
#[derive(Debug)]
pub struct Dataplane {
    /// Who has which group.
    pub groups: Arc<GroupMap>,
    /// The dead-man's switch.
    pub switch: Arc<LeaseSwitch>,
    pub(super) pins: PinDir,
    pub(super) attached: Attached,
    /// Maps of this agent's schema; `None` before they are made, where another one's are in force.
    pub(super) own: Option<Tables>,
    /// The virtual IPs that the maps hold; nobody else writes there.
    pub(super) known: BTreeMap<VipKey, Vip>,
    /// `None` while those of the agent before this one go on.
    pub(super) programs: Option<Programs>,
    pub(super) crossing: Crossing,
    pub(super) _lock: PinLock,
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
        // Whoever may still have one is not gone on with.
        predecessor::end_leases(&pins, None)?;
        for interface in attach {
            attach::check(&pins, interface)?;
        }
        let ebpf = load::maps(&pins)?;
        fault::reached(Point::Maps);
        let mut programs = Programs::load(ebpf, &pins, attach)?;
        programs.attach(&pins, attach)?;
        let mut attached = Attached::new(attach, BTreeSet::new());
        attached.serve_all();
        let mut dataplane = Self::over(pins, lock, attached)?;
        dataplane.own()?.peers.clear()?;
        dataplane.programs = Some(programs);
        Ok(dataplane)
    }

    /// The data path that another agent left behind, as it is, if that agent's lease is still valid: nothing is
    /// loaded, and nothing of it changed, before [`Dataplane::loader`] has run.
    ///
    /// # Errors
    /// As [`Dataplane::open`].
    pub fn found(pin_dir: &Path, attach: &[Attach]) -> Result<Option<Self>> {
        let pins = PinDir::new(pin_dir);
        if !pins.exists() {
            return Ok(None);
        }
        let lock = pins.lock()?;
        fault::reached(Point::Locked);
        match Predecessor::find(&pins, attach)? {
            None => Ok(None),
            Some(Predecessor::Same(serving)) => {
                Self::over(pins, lock, Attached::new(attach, serving)).map(Some)
            }
            Some(Predecessor::Other(other)) => Ok(Some(Self::beside(*other, pins, lock, attach))),
        }
    }

    /// What is pinned.
    fn over(pins: PinDir, lock: PinLock, attached: Attached) -> Result<Self> {
        let Maps { groups, tables, .. } = Maps::open(&pins)?;
        Ok(Self {
            groups: Arc::new(groups),
            switch: Arc::new(LeaseSwitch::open(&pins)?),
            known: tables.vips.read()?,
            own: Some(tables),
            attached,
            programs: None,
            crossing: Crossing::None,
            pins,
            _lock: lock,
        })
    }

    /// Loads this agent's programs and puts them in the place of those that were found, without a moment
    /// between the two; `None` if that is done. It takes long, and may run in a thread of its own.
    ///
    /// Where the maps of another schema are in force, [`Dataplane::cross`] puts them there.
    pub fn loader(&self) -> Option<impl FnOnce() -> Result<Programs> + Send + use<>> {
        if self.programs.is_some() {
            return None;
        }
        let (pins, wanted) = (self.pins.clone(), self.attached.wanted.clone());
        let beside = self.is_crossing().then(|| self.known.clone());
        Some(move || {
            for interface in &wanted {
                attach::check(&pins, interface)?;
            }
            if let Some(vips) = beside {
                return cross::load_beside(&pins, vips, &wanted);
            }
            let ebpf = load::maps(&pins)?;
            fault::reached(Point::Maps);
            let mut programs = Programs::load(ebpf, &pins, &wanted)?;
            programs.attach(&pins, &wanted)?;
            Ok(programs)
        })
    }

    /// Goes on with what [`Dataplane::loader`] has loaded and attached.
    ///
    /// # Errors
    /// If the program for the lease is not there.
    pub fn use_programs(&mut self, programs: Programs) -> Result<()> {
        self.programs = Some(programs);
        self.attached.serve_all();
        self.switch.renew_program(&self.pins)
    }

    /// Whether the data path serves on this interface, over the maps that are in force.
    #[must_use]
    pub fn is_attached(&self, ifindex: u32) -> bool {
        self.attached.is_serving(ifindex)
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
        match &self.crossing {
            Crossing::Begun(begun) => Ok(begun.peers.clone()),
            Crossing::None | Crossing::Done(_) => self.own_ref()?.peers.read(),
        }
    }

    pub(super) fn own(&mut self) -> Result<&mut Tables> {
        self.own.as_mut().context(NOT_YET)
    }

    fn own_ref(&self) -> Result<&Tables> {
        self.own.as_ref().context(NOT_YET)
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
        let wanted = self.attached.wanted.iter();
        let wanted: Vec<u32> = wanted.map(|attach| attach.link.index).collect();
        attach::keep_only(&self.pins, &wanted)
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
                    self.own()?.vips.put(key, value)?;
                    self.known.insert(key, value);
                }
                Write::RemoveVip { key } => {
                    self.own()?.vips.remove(key)?;
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
        self.own()?.routers.set(routers)
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
    pub fn loop_echoes(&mut self, neighbours: &BTreeSet<(IpAddr, u32)>) -> Result<()> {
        let wanted = self.attached.wanted.iter();
        let nics = wanted.map(|attach| (attach.link.index, attach.link.mac));
        let entries = echo::entries(&nics.collect(), neighbours)?;
        match &mut self.crossing {
            Crossing::Begun(begun) => begun.echoes = entries,
            Crossing::None | Crossing::Done(_) => echo::set(&self.pins, &entries)?,
        }
        Ok(())
    }

    /// Takes what comes in by these ports for what the bonds that they are of receive, and that of no others.
    ///
    /// # Errors
    /// If there is no room, or the kernel refuses.
    pub fn set_ports(&self, ports: &BTreeMap<u32, Port>) -> Result<()> {
        ports::set(&self.pins, ports)
    }

    /// Puts a peer into a slot that no role word names.
    ///
    /// # Errors
    /// The kernel's.
    pub fn set_peer(&mut self, slot: u16, peer: &Peer) -> Result<()> {
        match &mut self.crossing {
            Crossing::Begun(begun) => begun.peers.push((slot, *peer)),
            Crossing::None | Crossing::Done(_) => self.own()?.peers.put(slot, *peer)?,
        }
        Ok(())
    }

    /// The delivery targets that there are, by slot; none in maps that are still to be made.
    ///
    /// # Errors
    /// The kernel's.
    pub fn targets(&self) -> Result<BTreeMap<u32, Deliver>> {
        let own = self.own.as_ref();
        own.map_or_else(|| Ok(BTreeMap::new()), |own| own.deliver.read())
    }

    /// Writes a delivery target; `ifindex` is where frames are redirected to, if they are.
    ///
    /// # Errors
    /// The kernel's, as if the interface has just gone.
    pub fn put_target(&mut self, slot: u32, target: Deliver, ifindex: u32) -> Result<()> {
        self.own()?.deliver.put(slot, target, ifindex)
    }

    /// Frees the slot of a delivery target that no virtual IP names any more.
    ///
    /// # Errors
    /// The kernel's.
    pub fn clear_target(&mut self, slot: u32) -> Result<()> {
        self.own()?.deliver.clear(slot)
    }

    /// Forgets the peer in a slot that no role word of a group names.
    ///
    /// # Errors
    /// The kernel's.
    pub fn forget_peer(&mut self, slot: u16) -> Result<()> {
        self.own()?.peers.remove(slot)
    }
}
