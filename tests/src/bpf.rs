//! The data path in the kernel without any interface: loaded privately, run on single frames with
//! `BPF_PROG_TEST_RUN`.

use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf, Pod,
    maps::{Array, DevMapHash, HashMap, Map, MapData, PerCpuArray, RingBuf},
    programs::{SchedClassifier, TestRun, TestRunOptions, Xdp, XdpMode},
};
use ha_common::{
    abi::{
        Deliver, EchoPeer, Event, Group, Live, LivePeerKey, Mac, Node, Peer, Reflector, Router,
        RouterKey, RouterPeerKey, Stale, StaleKey, Traffic, Vip, Vip4Key, Vip6Key, map, program,
    },
    lease::{Reply, Request},
};
use nix::unistd::Uid;

/// Octets by which a program may grow a frame at most.
const MAX_GROWTH: usize = 64;

/// Octets of the kernel's `struct xdp_md`.
const CONTEXT_LEN: usize = 24;

/// What a program made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kernel's `enum xdp_action`, or `TC_ACT_*` on the way out.
    pub action: u32,
    /// The frame as the program left it.
    pub frame: Vec<u8>,
}

/// A private copy of the data path with maps of its own, none of them pinned.
pub struct DataPath {
    ebpf: Ebpf,
}

impl DataPath {
    /// Loads the data path from a BPF object.
    ///
    /// # Errors
    ///
    /// Without root, and when the kernel refuses the object; then with the verifier's log.
    pub fn load(object: &[u8]) -> Result<Self> {
        ensure!(
            Uid::effective().is_root(),
            "loading a BPF program takes root: run this with sudo"
        );
        let mut ebpf = Ebpf::load(object).context("the BPF object cannot be read")?;
        for name in [program::XDP, program::LEASE] {
            let xdp: &mut Xdp = ebpf
                .program_mut(name)
                .with_context(|| format!("the BPF object has no program {name}"))?
                .try_into()?;
            xdp.load()
                .with_context(|| format!("the kernel refuses the program {name}"))?;
        }
        for name in [program::EGRESS, program::LOCAL] {
            let classifier: &mut SchedClassifier = ebpf
                .program_mut(name)
                .with_context(|| format!("the BPF object has no program {name}"))?
                .try_into()?;
            classifier
                .load()
                .with_context(|| format!("the kernel refuses the program {name}"))?;
        }
        Ok(Self { ebpf })
    }

    /// Runs the data path on a frame of at least 14 octets, as if loopback had received it.
    ///
    /// `linear` is how many octets the frame has in its first buffer, if that is not for the kernel
    /// to choose.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it on such a frame. Kernels before 6.18 have no choice of `linear`.
    pub fn run(&self, frame: &[u8], linear: Option<usize>) -> Result<Outcome> {
        let context = linear.map(context_of);
        let mut out = vec![0; frame.len() + MAX_GROWTH];
        let result = self.program(program::XDP)?.test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ctx_in: context.as_ref().map(<[u8; CONTEXT_LEN]>::as_slice),
            ..TestRunOptions::new()
        })?;
        out.truncate(result.data_size_out as usize);
        Ok(Outcome {
            action: result.return_value,
            frame: out,
        })
    }

    /// Whether the kernel lets [`Self::run`] choose the length of the first buffer.
    #[must_use]
    pub fn can_split(&self) -> bool {
        self.run(&[0; 64], Some(32)).is_ok()
    }

    /// Runs the program on the way out on a frame. Its action is a `TC_ACT_*`.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it on such a frame.
    pub fn send(&self, frame: &[u8]) -> Result<Outcome> {
        self.classify(program::EGRESS, frame)
    }

    /// Runs the program on the way out of the loopback interface on a frame. Its action is a `TC_ACT_*`.
    ///
    /// # Errors
    ///
    /// As for [`Self::send`].
    pub fn send_to_self(&self, frame: &[u8]) -> Result<Outcome> {
        self.classify(program::LOCAL, frame)
    }

    fn classify(&self, name: &str, frame: &[u8]) -> Result<Outcome> {
        let mut out = vec![0; frame.len()];
        let result = self.classifier(name)?.test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ..TestRunOptions::new()
        })?;
        out.truncate(result.data_size_out as usize);
        Ok(Outcome {
            action: result.return_value,
            frame: out,
        })
    }

    /// The program on the way out, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn egress(&self) -> Result<&SchedClassifier> {
        self.classifier(program::EGRESS)
    }

    /// A program of traffic control, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn classifier(&self, name: &str) -> Result<&SchedClassifier> {
        let program = self
            .ebpf
            .program(name)
            .with_context(|| format!("the BPF object has no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// Asks for a lease operation, as the agent does.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run the program, or its answer is not a [`Reply`].
    pub fn lease(&self, request: Request) -> Result<Reply> {
        let frame = request.to_frame();
        let result = self.program(program::LEASE)?.test_run(TestRunOptions {
            data_in: Some(&frame),
            ..TestRunOptions::new()
        })?;
        Reply::from_u32(result.return_value)
            .with_context(|| format!("{} is no reply of the lease program", result.return_value))
    }

    /// One of the programs, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn program(&self, name: &str) -> Result<&Xdp> {
        let program = self
            .ebpf
            .program(name)
            .with_context(|| format!("the BPF object has no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// The names of all maps.
    pub fn map_names(&self) -> impl Iterator<Item = &str> {
        self.ebpf.maps().map(|(name, _)| name)
    }

    /// Attaches the data path to the interface `ifindex` of the calling thread's network namespace, for as long as
    /// this lives.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn attach(&mut self, ifindex: u32) -> Result<()> {
        let program = self.ebpf.program_mut(program::XDP);
        let xdp: &mut Xdp = program
            .with_context(|| format!("the BPF object has no program {}", program::XDP))?
            .try_into()?;
        xdp.attach_to_if_index(ifindex, XdpMode::Driver)
            .with_context(|| format!("attaching to interface {ifindex}"))?;
        Ok(())
    }

    /// `ha_vip4`.
    ///
    /// # Errors
    ///
    /// When the object's map is another one than `ha_common::abi` says; so with all maps below.
    pub fn vip4(&mut self) -> Result<HashMap<&mut MapData, Vip4Key, Vip>> {
        Ok(self.map(map::VIP4)?.try_into()?)
    }

    /// `ha_vip6`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn vip6(&mut self) -> Result<HashMap<&mut MapData, Vip6Key, Vip>> {
        Ok(self.map(map::VIP6)?.try_into()?)
    }

    /// `ha_group`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn group(&mut self) -> Result<Array<&mut MapData, Group>> {
        self.array(map::GROUP)
    }

    /// `ha_node`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn node(&mut self) -> Result<Array<&mut MapData, Node>> {
        self.array(map::NODE)
    }

    /// `ha_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn peer(&mut self) -> Result<Array<&mut MapData, Peer>> {
        self.array(map::PEER)
    }

    /// `ha_peer_mac`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn peer_mac(&mut self) -> Result<HashMap<&mut MapData, Mac, u32>> {
        Ok(self.map(map::PEER_MAC)?.try_into()?)
    }

    /// `ha_router`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn router(&mut self) -> Result<HashMap<&mut MapData, RouterKey, Router>> {
        Ok(self.map(map::ROUTER)?.try_into()?)
    }

    /// `ha_vrrp_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn router_peer(&mut self) -> Result<HashMap<&mut MapData, RouterPeerKey, u32>> {
        Ok(self.map(map::ROUTER_PEER)?.try_into()?)
    }

    /// `ha_reflect`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn reflect(&mut self) -> Result<HashMap<&mut MapData, u32, Reflector>> {
        Ok(self.map(map::REFLECT)?.try_into()?)
    }

    /// `ha_live_peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn live_peer(&mut self) -> Result<HashMap<&mut MapData, LivePeerKey, u32>> {
        Ok(self.map(map::LIVE_PEER)?.try_into()?)
    }

    /// `ha_live`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn live(&mut self) -> Result<Array<&mut MapData, Live>> {
        self.array(map::LIVE)
    }

    /// `ha_echo`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn echo(&mut self) -> Result<HashMap<&mut MapData, LivePeerKey, EchoPeer>> {
        Ok(self.map(map::ECHO)?.try_into()?)
    }

    /// `ha_stale`.
    ///
    /// # Errors
    ///
    /// When the object has no such map.
    pub fn stale(&mut self) -> Result<HashMap<&mut MapData, StaleKey, Stale>> {
        Ok(self.map(map::STALE)?.try_into()?)
    }

    /// `ha_deliver`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn deliver(&mut self) -> Result<Array<&mut MapData, Deliver>> {
        self.array(map::DELIVER)
    }

    /// `ha_dev`.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn devices(&mut self) -> Result<DevMapHash<&mut MapData>> {
        Ok(self.map(map::DEV)?.try_into()?)
    }

    /// When each group last told of something; not part of the interface to the agent.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn limit(&mut self) -> Result<Array<&mut MapData, [u64; 2]>> {
        self.array("ha_limit")
    }

    /// Questions that were answered while a group moved; not part of the interface to the agent.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn asked(&mut self) -> Result<Array<&mut MapData, [u32; 4]>> {
        self.array("ha_asked")
    }

    /// `ha_reason` or `ha_stat` at `index`, the processors' counters added up.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn traffic(&self, name: &str, index: u32) -> Result<Traffic> {
        let map = self
            .ebpf
            .map(name)
            .with_context(|| format!("the BPF object has no map {name}"))?;
        let counters = PerCpuArray::<_, Traffic>::try_from(map)?;
        let mut sum = Traffic::default();
        for one in counters.get(&index, 0)?.iter() {
            sum.packets += one.packets;
            sum.bytes += one.bytes;
        }
        Ok(sum)
    }

    /// The records that are in the ring now; takes them out.
    ///
    /// # Errors
    ///
    /// As for [`Self::vip4`].
    pub fn events(&mut self) -> Result<Vec<Event>> {
        let mut ring = RingBuf::try_from(self.map(map::EVENT)?)?;
        let mut events = Vec::new();
        while let Some(record) = ring.next() {
            let record = <&[u8; Event::LEN]>::try_from(&*record)
                .context("a record of the ring is no event")?;
            events.push(Event::from_bytes(record));
        }
        Ok(events)
    }

    fn map(&mut self, name: &str) -> Result<&mut Map> {
        self.ebpf
            .map_mut(name)
            .with_context(|| format!("the BPF object has no map {name}"))
    }

    fn array<V: Pod>(&mut self, name: &str) -> Result<Array<&mut MapData, V>> {
        Ok(self.map(name)?.try_into()?)
    }
}

/// A `struct xdp_md` of which only `data_end` is set: to the length of the first buffer.
fn context_of(linear: usize) -> [u8; CONTEXT_LEN] {
    let mut context = [0; CONTEXT_LEN];
    context[4..8].copy_from_slice(&(linear as u32).to_ne_bytes());
    context
}
