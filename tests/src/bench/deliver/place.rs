//! A sender, a node and where its frames go, in namespaces of their own.

mod data_path;

use std::{
    fs::{self, File},
    io::Read,
    net::{IpAddr, Ipv4Addr, UdpSocket},
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use ha_common::abi::Mac;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{setsockopt, sockopt},
};
use smoltcp::{
    phy::ChecksumCapabilities,
    wire::{
        EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv4Repr,
        UdpPacket, UdpRepr,
    },
};

use super::super::packet::{kernel::Program, refill};
use crate::{bpf::DataPath, command, netns::NetNs, remains::Remains, sys};

const SENDER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 100);
const NODE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const VIP: Ipv4Addr = Ipv4Addr::new(10, 77, 64, 1);
const PORT: u16 = 4001;
const SENDER_MAC: Mac = Mac([0x02, 0x77, 0, 0, 1, 0]);
const NODE_MAC: Mac = Mac([0x02, 0x77, 0, 0, 0, 1]);
const GUEST_MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
/// The interface that leads to a guest.
const GUEST: &str = "vnet0";
const NIC: &str = "eth0";
/// Frames that the tap holds for its reader: more than are sent at once.
const QUEUE: u32 = 32_768;
/// `XDP_DROP` and `XDP_PASS`.
const DROP: i32 = 1;
const PASS: i32 = 2;

/// Places so far: their names differ.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Where frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Local,
    Veth,
    Tap,
    Peer,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::Local, Self::Veth, Self::Tap, Self::Peer];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Local => "the stack",
            Self::Veth => "a veth guest",
            Self::Tap => "a tap guest",
            Self::Peer => "a peer",
        }
    }

    /// What the kernel does by itself.
    pub(super) const fn beside(self) -> &'static str {
        match self {
            Self::Local => "kernel, no XDP",
            Self::Veth | Self::Tap => "kernel's bridge",
            Self::Peer => "kernel's routing",
        }
    }
}

/// A sender and a node.
pub(super) struct Place {
    sender: NetNs,
    node: NetNs,
    ifindex: u32,
    frame: Vec<u8>,
    end: End,
    _data_path: Option<DataPath>,
    _programs: Vec<OwnedFd>,
}

/// Where arrivals are counted.
enum End {
    /// Nobody counts.
    Nowhere,
    /// A socket that nobody reads: what it has no room for has arrived as well.
    Socket(#[expect(dead_code, reason = "it is there to be sent to")] UdpSocket),
    /// An interface of another namespace.
    Interface(NetNs),
    /// The sender's own interface.
    Sender,
    Reader(Reader),
}

impl Place {
    /// Where every frame is dropped on arrival.
    pub(super) fn floor(remains: &Remains) -> Result<Self> {
        let mut place = Self::bare(remains)?;
        place.run_at(NIC, DROP)?;
        Ok(place)
    }

    /// The way with the data path in `object`, or without one.
    pub(super) fn new(remains: &Remains, way: Way, object: Option<&[u8]>) -> Result<Self> {
        let mut place = Self::bare(remains)?;
        match way {
            Way::Local => place.make_local()?,
            Way::Veth => place.add_veth(remains)?,
            Way::Tap => place.add_tap()?,
            Way::Peer => place.add_route()?,
        }
        match (object, way) {
            (Some(object), _) => {
                let node = place.node.ifindex(NIC)?;
                let guest = match way {
                    Way::Veth | Way::Tap => Some(place.node.ifindex(GUEST)?),
                    Way::Local | Way::Peer => None,
                };
                let mut path = data_path::load(object, way, node, guest)?;
                place.node.run(|| {
                    if let Some(guest) = guest {
                        path.devices()?.insert(data_path::SLOT, guest, None, 0)?;
                    }
                    path.attach(node)
                })?;
                place._data_path = Some(path);
            }
            (None, Way::Veth | Way::Tap) => place.bridge()?,
            // Without a program the NIC has to be told to poll.
            (None, Way::Local | Way::Peer) => {}
        }
        if object.is_none() {
            ethtool(&place.node, NIC)?;
        }
        Ok(place)
    }

    pub(super) const fn sender(&self) -> &NetNs {
        &self.sender
    }

    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }

    pub(super) const fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// Frames that have arrived so far.
    pub(super) fn arrived(&self) -> Result<u64> {
        match &self.end {
            End::Nowhere => Ok(0),
            End::Socket(_) => self.node.run(received_datagrams),
            End::Interface(namespace) => namespace.run(|| received_frames(NIC)),
            End::Sender => self.sender.run(|| received_frames(NIC)),
            End::Reader(reader) => Ok(reader.frames.load(Ordering::Acquire)),
        }
    }

    fn bare(remains: &Remains) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let sender = NetNs::create(&remains.namespace(&format!("from{number}")))?;
        let node = NetNs::create(&remains.namespace(&format!("to{number}")))?;
        for namespace in [&sender, &node] {
            for scope in ["all", "default"] {
                namespace.set(&format!("ipv6/conf/{scope}/disable_ipv6"), "1")?;
            }
        }
        command::ip_batch(
            sender.name(),
            &format!(
                "link add name {NIC} address {SENDER_MAC} type veth peer name {NIC} address {NODE_MAC} netns {}\n\
                 addr add {SENDER}/16 dev {NIC}\n\
                 link set dev {NIC} up\n",
                node.name()
            ),
        )?;
        command::ip_batch(
            node.name(),
            &format!(
                "addr add {NODE}/16 dev {NIC}\n\
                 link set dev {NIC} up\n\
                 neigh replace {SENDER} lladdr {SENDER_MAC} dev {NIC} nud permanent\n"
            ),
        )?;
        let ifindex = sender.ifindex(NIC)?;
        let mut place = Self {
            sender,
            node,
            ifindex,
            frame: frame(NODE_MAC)?,
            end: End::Nowhere,
            _data_path: None,
            _programs: Vec::new(),
        };
        // What the node sends back is taken only by an end that has a program.
        let program = Program::load(&refill::always(PASS))?;
        let attached = place.sender.run(|| program.attach(ifindex))?;
        place._programs.push(attached);
        Ok(place)
    }

    /// Has an interface of the node do the same with every frame.
    fn run_at(&mut self, interface: &str, action: i32) -> Result<()> {
        let program = Program::load(&refill::always(action))?;
        let ifindex = self.node.ifindex(interface)?;
        let attached = self.node.run(|| program.attach(ifindex))?;
        self._programs.push(attached);
        Ok(())
    }

    fn make_local(&mut self) -> Result<()> {
        command::ip_batch(
            self.node.name(),
            &format!("route add local {VIP}/32 dev lo\n"),
        )?;
        let socket = self.node.run(|| Ok(UdpSocket::bind((VIP, PORT))?))?;
        setsockopt(&socket, sockopt::RcvBuf, &1)?;
        self.end = End::Socket(socket);
        Ok(())
    }

    fn add_veth(&mut self, remains: &Remains) -> Result<()> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let guest = NetNs::create(&remains.namespace(&format!("guest{number}")))?;
        guest.set("ipv6/conf/default/disable_ipv6", "1")?;
        command::ip_batch(
            self.node.name(),
            &format!(
                "link add name {GUEST} type veth peer name {NIC} address {GUEST_MAC} netns {}\n\
                 link set dev {GUEST} up\n",
                guest.name()
            ),
        )?;
        command::ip_batch(guest.name(), &format!("link set dev {NIC} up\n"))?;
        ethtool(&guest, NIC)?;
        self.end = End::Interface(guest);
        Ok(())
    }

    fn add_tap(&mut self) -> Result<()> {
        let tap = self.node.run(|| Ok(sys::open_tap(GUEST)?))?;
        command::ip_batch(
            self.node.name(),
            &format!("link set dev {GUEST} txqueuelen {QUEUE} up\n"),
        )?;
        self.end = End::Reader(Reader::start(tap)?);
        Ok(())
    }

    /// Without the data path frames are for the guest's MAC, and the kernel's bridge brings them there.
    fn bridge(&mut self) -> Result<()> {
        self.frame = frame(GUEST_MAC)?;
        command::ip_batch(
            self.node.name(),
            &format!(
                "link add name br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n\
                 link set dev br0 up\n\
                 link set dev {NIC} master br0\n\
                 link set dev {GUEST} master br0\n"
            ),
        )?;
        // A MAC that the bridge does not know would be flooded.
        let mut bridge = self.node.command("bridge")?;
        let mac = GUEST_MAC.to_string();
        command::run(bridge.args(["fdb", "replace", &mac, "dev", GUEST, "master", "static"]))?;
        Ok(())
    }

    /// The peer is where the sender is: its frames go back over the NIC on which they came in.
    fn add_route(&mut self) -> Result<()> {
        self.node.set("ipv4/ip_forward", "1")?;
        for scope in ["all", NIC] {
            self.node
                .set(&format!("ipv4/conf/{scope}/send_redirects"), "0")?;
            self.node
                .set(&format!("ipv4/conf/{scope}/rp_filter"), "0")?;
        }
        command::ip_batch(
            self.node.name(),
            &format!("route add {VIP}/32 via {SENDER} dev {NIC}\n"),
        )?;
        self.end = End::Sender;
        Ok(())
    }
}

/// What stands for a virtual machine: it reads and forgets. Ends on drop.
struct Reader {
    frames: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(mut tap: File) -> Result<Self> {
        let frames = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (counted, stopped) = (Arc::clone(&frames), Arc::clone(&stop));
        let read = move || {
            let mut buffer = [0; 2048];
            while !stopped.load(Ordering::Acquire) {
                let mut ready = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
                let is_ready = matches!(poll(&mut ready, PollTimeout::from(50u8)), Ok(1..));
                if is_ready && tap.read(&mut buffer).is_ok() {
                    counted.fetch_add(1, Ordering::AcqRel);
                }
            }
        };
        let thread = thread::Builder::new().name("tap".to_owned()).spawn(read)?;
        Ok(Self {
            frames,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

/// Frames that an interface of the calling thread's namespace has received.
fn received_frames(interface: &str) -> Result<u64> {
    let shown = fs::read_to_string("/proc/thread-self/net/dev")?;
    let line = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix(interface)?.strip_prefix(':'));
    let frames = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(frames
        .with_context(|| format!("no {interface} in {shown}"))?
        .parse()?)
}

/// Datagrams for sockets, also those that had no room.
fn received_datagrams() -> Result<u64> {
    let shown = fs::read_to_string("/proc/thread-self/net/snmp")?;
    let mut lines = shown.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = lines.next().zip(lines.next()).context("no UDP counters")?;
    let mut counters = names.split(' ').zip(values.split(' '));
    counters.try_fold(0, |sum, (name, value)| match name {
        "InDatagrams" | "InErrors" => Ok(sum + value.parse::<u64>()?),
        _ => Ok(sum),
    })
}

fn ethtool(namespace: &NetNs, interface: &str) -> Result<()> {
    let mut ethtool = namespace.command("ethtool")?;
    command::run(ethtool.args(["-K", interface, "gro", "on"]))?;
    Ok(())
}

/// A datagram for the virtual IP, to this MAC.
fn frame(to: Mac) -> Result<Vec<u8>> {
    const PAYLOAD: [u8; 18] = [0x5a; 18];
    let udp = UdpRepr {
        src_port: PORT,
        dst_port: PORT,
    };
    let ip = Ipv4Repr {
        src_addr: SENDER,
        dst_addr: VIP,
        next_header: IpProtocol::Udp,
        payload_len: udp.header_len() + PAYLOAD.len(),
        hop_limit: 64,
    };
    let len = ip.buffer_len() + ip.payload_len;
    let mut octets = vec![0; EthernetFrame::<&[u8]>::buffer_len(len)];
    let mut ethernet = EthernetFrame::new_checked(&mut octets[..]).context("a short frame")?;
    ethernet.set_dst_addr(EthernetAddress(to.0));
    ethernet.set_src_addr(EthernetAddress(SENDER_MAC.0));
    ethernet.set_ethertype(EthernetProtocol::Ipv4);
    let checksums = ChecksumCapabilities::default();
    let mut packet = Ipv4Packet::new_unchecked(ethernet.payload_mut());
    ip.emit(&mut packet, &checksums);
    udp.emit(
        &mut UdpPacket::new_unchecked(packet.payload_mut()),
        &IpAddr::V4(SENDER).into(),
        &IpAddr::V4(VIP).into(),
        PAYLOAD.len(),
        |payload| payload.copy_from_slice(&PAYLOAD),
        &checksums,
    );
    Ok(octets)
}
