//! A node that has not a virtual IP cannot send as it, whatever runs there; the one that has it can.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    time::Duration,
};

use anyhow::Context;
use aya::{
    Ebpf,
    maps::HashMap,
    programs::{SchedClassifier, TcAttachType},
};
use ha_agent::{
    dataplane::{
        OBJECT, PinDir,
        egress::{self, Hook},
    },
    net::frame::{gratuitous_arp_reply, unsolicited_na},
};
use ha_common::{
    abi::{Mac, Vip, Vip4Key, Vlan, map, program},
    wire::vrrp,
};
use ha_lab::{
    address,
    agent::Agent,
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    command,
    ear::Ear,
    lab::Lab,
    node::{INTERFACE, Node},
    station::Station,
    under_test, waiting,
};
use socket2::{Domain, Socket, Type};

const LIMIT: Duration = Duration::from_secs(10);
/// Not that of the cluster's echo service, which the client does not ask here.
const PORT: u16 = 4242;
const VRID: u8 = 51;

/// What speaks as a virtual IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Speech {
    Ipv4,
    Ipv6,
    Arp,
    Advertisement,
}

const ALL: [Speech; 4] = [
    Speech::Ipv4,
    Speech::Ipv6,
    Speech::Arp,
    Speech::Advertisement,
];

/// An application that is bound to both virtual IPs all the time, and a troublemaker beside it.
struct Speaker {
    udp: [UdpSocket; 2],
    tcp: TcpListener,
    raw: Station,
    ear: Ear,
    node: u8,
}

impl Speaker {
    fn on(lab: &Lab, node: u8) -> Self {
        let place = lab.node(node);
        know_client(place);
        let (udp, tcp) = place
            .namespace()
            .run(|| {
                let udp = vips().map(|vip| bind(vip, Type::DGRAM).into());
                let tcp = bind(vips()[0], Type::STREAM);
                tcp.listen(8)?;
                Ok((udp, tcp.into()))
            })
            .unwrap();
        Self {
            udp,
            tcp,
            raw: Station::on(place.namespace()).unwrap(),
            ear: Ear::at(lab, node).unwrap(),
            node,
        }
    }

    /// Speaks in all ways, and returns those that were heard.
    fn speak(&self) -> Vec<Speech> {
        self.ear.heard().unwrap();
        for (udp, to) in self.udp.iter().zip(client()) {
            // Whether the kernel tells the sender that it kept the packet is its own affair.
            let _ = udp.send_to(b"as the virtual IP", SocketAddr::new(to, PORT));
        }
        let [IpAddr::V4(v4), IpAddr::V6(v6)] = vips() else {
            panic!("{:?}", vips());
        };
        let none = Vlan::default();
        for frame in [
            gratuitous_arp_reply(vrrp::mac4(VRID), v4, none),
            unsolicited_na(vrrp::mac6(VRID), v6, false, none),
        ] {
            let _ = self.raw.send(&frame);
        }
        self.heard()
    }

    /// What was said as a virtual IP at this node's port since last time.
    fn heard(&self) -> Vec<Speech> {
        let frames = self.ear.heard().unwrap();
        let mut said: Vec<_> = frames.iter().filter_map(|frame| speech(frame)).collect();
        said.sort();
        said.dedup();
        said
    }
}

/// As whom a frame speaks, and how, if it is as a virtual IP.
fn speech(frame: &[u8]) -> Option<Speech> {
    let [IpAddr::V4(v4), IpAddr::V6(v6)] = vips() else {
        return None;
    };
    let is_v4 = |at: usize| frame.get(at..at + 4) == Some(&v4.octets());
    let is_v6 = |at: usize| frame.get(at..at + 16) == Some(&v6.octets());
    match frame.get(12..14)? {
        [0x08, 0x06] if is_v4(28) => Some(Speech::Arp),
        [0x08, 0x00] if is_v4(26) => Some(Speech::Ipv4),
        [0x86, 0xdd] if frame[20] == 58 && frame.get(54) == Some(&136) && is_v6(62) => {
            Some(Speech::Advertisement)
        }
        [0x86, 0xdd] if is_v6(22) => Some(Speech::Ipv6),
        _ => None,
    }
}

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

fn client() -> [IpAddr; 2] {
    [address::CLIENT.v4.into(), address::CLIENT.v6.into()]
}

/// So that nothing but the packet itself is in question.
fn know_client(node: &Node) {
    let mac = Mac(address::CLIENT.mac);
    let entries: String = client()
        .iter()
        .map(|client| format!("neigh replace {client} lladdr {mac} dev {INTERFACE}\n"))
        .collect();
    command::ip_batch(node.namespace().name(), &entries).unwrap();
}

fn bind(vip: IpAddr, kind: Type) -> Socket {
    let address = SocketAddr::new(vip, PORT);
    let socket = Socket::new(Domain::for_address(address), kind, None).unwrap();
    match vip {
        IpAddr::V4(_) => socket.set_freebind_v4(true).unwrap(),
        IpAddr::V6(_) => socket.set_freebind_v6(true).unwrap(),
    }
    socket.bind(&address.into()).unwrap();
    socket
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    waiting::until(LIMIT, what, is_so);
}

fn counted(cluster: &Cluster, node: u8) -> [u64; 3] {
    let agent = cluster.agent(node).unwrap();
    ["egress_ip", "egress_arp", "egress_nd"].map(|reason| agent.counted(reason).unwrap())
}

fn start() -> Cluster {
    let service = Service {
        vrid: VRID,
        ..Service::new(1, 1)
    };
    Cluster::start(&System::HaAgent(under_test::agent()), service).unwrap()
}

#[test]
fn only_the_active_node_sends_as_a_virtual_ip() {
    let mut cluster = start();
    let [preferred, standby] = [PREFERRED, STANDBY].map(|node| Speaker::on(cluster.lab(), node));

    let before = counted(&cluster, STANDBY);
    assert_eq!(standby.speak(), [], "the Backup was heard");
    let after = counted(&cluster, STANDBY);
    let grown: Vec<u64> = after
        .iter()
        .zip(before)
        .map(|(new, old)| new - old)
        .collect();
    assert_eq!(grown, [2, 1, 1], "each frame is counted once");
    assert_eq!(preferred.speak(), ALL, "the Active node was not heard");
    assert_eq!(counted(&cluster, PREFERRED), [0; 3]);

    // A connection from before the take-over.
    let connect = || Ok(TcpStream::connect((vips()[0], PORT))?);
    let mut connection = cluster.lab().client().run(connect).unwrap();
    let (mut served, _) = preferred.tcp.accept().unwrap();
    served.write_all(b"before").unwrap();
    let mut word = [0; 6];
    connection.read_exact(&mut word).unwrap();

    cluster.promote(STANDBY).unwrap();
    let is = |node, active| cluster.is_active(node).unwrap() == Some(active);
    until("the other takes over", || {
        is(STANDBY, true) && is(PREFERRED, false)
    });
    preferred.heard();
    let before = counted(&cluster, PREFERRED)[0];
    served.write_all(b"after").unwrap();
    until("the old owner's segments are kept", || {
        counted(&cluster, PREFERRED)[0] > before
    });
    assert_eq!(preferred.heard(), [], "the old owner was heard");
    connection
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let got = connection.read(&mut word).unwrap_err().kind();
    assert!(
        matches!(got, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{got}"
    );
    // The new owner does not know the connection and says so, at once.
    connection.write_all(b"hello?").unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    let got = connection.read(&mut word).unwrap_err().kind();
    assert_eq!(got, ErrorKind::ConnectionReset);

    // The same sockets as before.
    assert_eq!(standby.speak(), ALL, "the new owner was not heard");
    assert_eq!(preferred.speak(), [], "the old owner was heard");

    // An agent that dies leaves the program, and the lease ends.
    cluster.daemon(STANDBY).kill().unwrap();
    until("the better node is back", || is_active(&cluster, PREFERRED));
    assert_eq!(standby.speak(), [], "a node without an agent was heard");
    assert_eq!(preferred.speak(), ALL, "the Active node was not heard");
    assert_eq!(programs(cluster.lab().node(standby.node)).len(), 1);
}

fn is_active(cluster: &Cluster, node: u8) -> bool {
    cluster.is_active(node).unwrap() == Some(true)
}

/// Numbers of the programs at the egress hook of a node that has links.
fn programs(node: &Node) -> Vec<u32> {
    let query = || Ok(SchedClassifier::query_tcx(INTERFACE, TcAttachType::Egress)?);
    let (_, programs) = node.namespace().run(query).unwrap();
    assert!(
        programs
            .iter()
            .all(|found| found.name() == program::EGRESS.as_bytes())
    );
    programs
        .iter()
        .map(aya::programs::ProgramInfo::id)
        .collect()
}

#[test]
fn the_program_is_replaced_at_a_start_and_goes_with_the_pins() {
    let program = under_test::agent();
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0);
    let service = Service::new(1, 1);
    let start = || {
        let agent = Agent::start(&program, node, &service, 200).unwrap();
        until("it is Active", || agent.is_active().unwrap_or(false));
        agent
    };
    start().daemon().kill().unwrap();
    let first = programs(node);
    assert_eq!(first.len(), 1);
    let mut agent = start();
    let second = programs(node);
    assert_eq!(second.len(), 1, "{first:?}, then {second:?}");
    assert_ne!(first, second);
    agent.daemon().stop(LIMIT).unwrap();
    assert_eq!(programs(node), second, "a stopped agent leaves it");

    let mut detach = node.namespace().command(&program).unwrap();
    detach.arg("--pin-dir").arg(node.pins());
    command::run(detach.args(["detach", "--all"])).unwrap();
    assert_eq!(programs(node), Vec::<u32>::new());
}

/// As on a kernel before 6.6, which this one does as well.
#[test]
fn without_links_it_is_a_filter() {
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0);
    let pins = PinDir::new(node.pins());
    let inside = node.namespace();
    let index = inside.ifindex(INTERFACE).unwrap();
    let attach = || {
        inside.run(|| {
            let mut ebpf = Ebpf::load(OBJECT)?;
            let vips = ebpf.map_mut(map::VIP4).context("no map")?;
            let key = Vip4Key {
                addr: address::vip4(0).octets(),
                vlan: Vlan::default(),
            };
            // Its group is not in use, so nobody speaks as it.
            HashMap::<_, Vip4Key, Vip>::try_from(vips)?.insert(key, Vip::default(), 0)?;
            egress::attach_by(Hook::Filter, &mut ebpf, &pins, INTERFACE, index)
        })
    };
    let filters = || tc(node, &["filter", "show", "dev", INTERFACE, "egress"]);
    let ids = || {
        let shown = filters();
        let words = shown.split_whitespace();
        let id = words.skip_while(|word| *word != "id").nth(1);
        (
            shown.matches("direct-action").count(),
            id.map(str::to_owned),
        )
    };
    let (raw, ear) = (Station::on(inside).unwrap(), Ear::at(&lab, 0).unwrap());
    let is_heard = || {
        let mac = vrrp::mac4(VRID);
        let _ = raw.send(&gratuitous_arp_reply(
            mac,
            address::vip4(0),
            Vlan::default(),
        ));
        let frames = ear.heard().unwrap();
        frames
            .iter()
            .any(|frame| speech(frame) == Some(Speech::Arp))
    };

    assert!(is_heard());
    attach().unwrap();
    let (count, first) = ids();
    assert_eq!(count, 1, "its loader is gone, and so is it:\n{}", filters());
    assert!(!is_heard());
    attach().unwrap();
    let (count, second) = ids();
    assert_eq!(count, 1, "{}", filters());
    assert_ne!(first, second, "it was replaced");
    assert!(!is_heard());
    // What others have there is left alone.
    add_filter(node, "7");
    inside.run(|| egress::remove(&pins, index)).unwrap();
    assert_eq!(ids().0, 0, "{}", filters());
    assert!(filters().contains("pref 7"), "{}", filters());
    assert!(is_heard());

    // In the way: a filter of another kind in its place, and the older qdisc of ingress alone.
    add_filter(node, "1");
    let error = format!("{:#}", attach().unwrap_err());
    assert!(error.contains("tc filter show dev eth0 egress"), "{error}");
    tc(node, &["qdisc", "del", "dev", INTERFACE, "clsact"]);
    tc(node, &["qdisc", "add", "dev", INTERFACE, "ingress"]);
    let error = format!("{:#}", attach().unwrap_err());
    assert!(error.contains("tc qdisc show dev eth0"), "{error}");
    let ingress = tc(node, &["filter", "show", "dev", INTERFACE, "ingress"]);
    assert!(!ingress.contains(program::EGRESS), "{ingress}");
}

/// A filter of somebody else, of this priority.
fn add_filter(node: &Node, priority: &str) {
    let add = [
        "filter", "add", "dev", INTERFACE, "egress", "pref", priority,
    ];
    let kind = ["protocol", "all", "u32", "match", "u32", "0", "0"];
    tc(node, &[&add[..], &kind].concat());
}

fn tc(node: &Node, arguments: &[&str]) -> String {
    let mut tc = node.namespace().command("tc").unwrap();
    command::run(tc.args(arguments)).unwrap()
}
