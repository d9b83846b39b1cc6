//! Programs on the nodes themselves as clients of a virtual IP: they reach the node that has it, whoever that is at
//! the moment.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use aya::{
    Ebpf,
    programs::{SchedClassifier, TcAttachType},
};
use ha_agent::dataplane::{OBJECT, PinDir, egress::Hook, local};
use ha_common::abi::program;
use ha_lab::{
    address,
    agent::{Agent, Setup},
    cluster::{AnsweringMac, Cluster, PREFERRED, STANDBY, Service, System},
    command,
    echo::{self, Echo},
    lab::Lab,
    node::{INTERFACE, Node},
    under_test, waiting,
};
use socket2::{Domain, Socket, Type};

const LIMIT: Duration = Duration::from_secs(10);
/// Within which an answer comes, or a reset.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Longer than a packet may be on the lab's network.
const LONG: usize = 1900;

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

fn service_at(vip: IpAddr) -> SocketAddr {
    SocketAddr::new(vip, echo::PORT)
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    waiting::until(LIMIT, what, is_so);
}

/// Sockets of a program on a node, of both families.
struct Program {
    unconnected: [UdpSocket; 2],
    connected: [UdpSocket; 2],
}

impl Program {
    fn on(node: &Node) -> Self {
        let open = |vip: IpAddr| {
            let any: IpAddr = match vip {
                IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let socket = UdpSocket::bind((any, 0)).unwrap();
            socket.set_read_timeout(Some(AT_ONCE)).unwrap();
            socket
        };
        node.namespace()
            .run(|| {
                let connected = vips().map(|vip| {
                    let socket = open(vip);
                    socket.connect(service_at(vip)).unwrap();
                    socket
                });
                Ok(Self {
                    unconnected: vips().map(open),
                    connected,
                })
            })
            .unwrap()
    }

    /// Asks in all ways, and checks that it is this node that answers.
    fn reaches(&self, node: &str) {
        for (index, vip) in vips().into_iter().enumerate() {
            for len in [4, LONG] {
                let (one, other) = (&self.unconnected[index], &self.connected[index]);
                one.send_to(&vec![7; len], service_at(vip)).unwrap();
                let answer = who(one, len);
                assert!(
                    matches!(&answer, Ok(n) if n == node),
                    "{vip}, {len} octets: {answer:?}"
                );
                other.send(&vec![7; len]).unwrap();
                let answer = who(other, len).unwrap();
                assert_eq!(answer, node, "{vip}, {len} octets, connected");
            }
        }
    }
}

/// Who answers a datagram of this length.
fn who(socket: &UdpSocket, len: usize) -> io::Result<String> {
    let mut answer = [0; 2048];
    let whole = socket.recv(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[len..whole]).into_owned())
}

/// A connection from a node to a virtual IP, and who has accepted it.
fn connect(node: &Node, vip: IpAddr) -> (TcpStream, String) {
    let connect = || Ok(TcpStream::connect_timeout(&service_at(vip), LIMIT)?);
    let mut connection = node.namespace().run(connect).unwrap();
    connection.set_read_timeout(Some(LIMIT)).unwrap();
    let mut name = [0; 1];
    connection.read_exact(&mut name).unwrap();
    (connection, String::from_utf8_lossy(&name).into_owned())
}

/// A connection from a node to another at a virtual IP, which has carried a lot in both directions. The other end
/// is left open by a program that does not end before the test does.
fn carry(from: &Node, at: &Node, vip: IpAddr) -> TcpStream {
    const MUCH: usize = 1 << 20;
    let listen = || {
        let address = SocketAddr::new(vip, 0);
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        match vip {
            IpAddr::V4(_) => socket.set_freebind_v4(true)?,
            IpAddr::V6(_) => socket.set_freebind_v6(true)?,
        }
        socket.bind(&address.into())?;
        socket.listen(1)?;
        Ok(TcpListener::from(socket))
    };
    let listener = at.namespace().run(listen).unwrap();
    let to = listener.local_addr().unwrap();
    let connect = || Ok(TcpStream::connect_timeout(&to, LIMIT)?);
    let mut client = from.namespace().run(connect).unwrap();
    client.set_read_timeout(Some(LIMIT)).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let back = thread::spawn(move || {
        let mut much = vec![0; MUCH];
        server.read_exact(&mut much).unwrap();
        server.write_all(&much).unwrap();
        server
    });
    let much: Vec<u8> = (0..MUCH).map(|place| place as u8).collect();
    client.write_all(&much).unwrap();
    let mut carried = vec![0; MUCH];
    client.read_exact(&mut carried).unwrap();
    assert!(carried == much, "{vip} from {}", from.name());
    std::mem::forget(back.join().unwrap());
    client
}

fn promote(cluster: &Cluster, node: u8, other: u8) {
    cluster.promote(node).unwrap();
    let is = |node, active| cluster.is_active(node).unwrap() == Some(active);
    until("it takes over", || is(node, true) && is(other, false));
}

fn start(mac: AnsweringMac) -> Cluster {
    let service = Service {
        mac,
        ..Service::new(1, 1)
    };
    Cluster::start(&System::HaAgent(under_test::agent()), service).unwrap()
}

#[test]
fn a_program_reaches_the_active_node_over_each_change_of_roles() {
    for mac in [AnsweringMac::Virtual, AnsweringMac::Interface] {
        let cluster = start(mac);
        let [a, b] = [PREFERRED, STANDBY].map(|node| cluster.lab().node(node));
        let programs = [a, b].map(Program::on);
        let reach = |name: &str| programs.iter().for_each(|program| program.reaches(name));
        let counted = |node| {
            cluster
                .agent(node)
                .unwrap()
                .counted("local_client")
                .unwrap()
        };

        reach("a");
        assert_eq!(counted(PREFERRED), 0);
        assert!(counted(STANDBY) > 0);
        let mut connections = Vec::new();
        for vip in vips() {
            for node in [a, b] {
                assert_eq!(connect(node, vip).1, "a", "{vip} from {}", node.name());
                connections.push(carry(node, a, vip));
            }
        }

        promote(&cluster, STANDBY, PREFERRED);
        reach("b");
        for connection in &mut connections {
            connection.write_all(b"still there?").unwrap();
            let begun = Instant::now();
            let error = connection.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert!(begun.elapsed() < AT_ONCE);
        }
        for vip in vips() {
            for node in [a, b] {
                assert_eq!(connect(node, vip).1, "b", "{vip} from {}", node.name());
            }
        }
        promote(&cluster, PREFERRED, STANDBY);
        reach("a");
    }
}

/// What a program has decided for itself stays as it is.
#[test]
fn a_program_can_mean_its_own_host() {
    let cluster = start(AnsweringMac::Virtual);
    let node = cluster.lab().node(STANDBY);
    for vip in vips() {
        let bound = |to_device: bool| {
            let open = || {
                let socket = Socket::new(Domain::for_address(service_at(vip)), Type::DGRAM, None)?;
                socket.set_read_timeout(Some(AT_ONCE))?;
                if to_device {
                    socket.bind_device(Some(INTERFACE.as_bytes()))?;
                } else {
                    match vip {
                        IpAddr::V4(_) => socket.set_freebind_v4(true)?,
                        IpAddr::V6(_) => socket.set_freebind_v6(true)?,
                    }
                    socket.bind(&SocketAddr::new(vip, 0).into())?;
                }
                Ok(UdpSocket::from(socket))
            };
            let socket = node.namespace().run(open).unwrap();
            socket.send_to(b"who", service_at(vip)).unwrap();
            who(&socket, 3).unwrap()
        };
        assert_eq!(bound(false), "b", "{vip}, from itself");
        assert_eq!(bound(true), "a", "{vip}, bound to {INTERFACE}");
    }
}

/// Nothing is left of it by `detach --all`, and what was set is as it was.
#[test]
fn it_can_be_turned_off_and_taken_away() {
    let program = under_test::agent();
    let lab = Lab::create(&["a", "b"]).unwrap();
    let _echoes: Vec<Echo> = lab
        .nodes()
        .iter()
        .map(|node| Echo::start(node, &vips()).unwrap())
        .collect();
    let service = Service::new(1, 1);
    let active = Agent::start(&program, lab.node(PREFERRED), &service, 200).unwrap();
    until("a is Active", || active.is_active().unwrap_or(false));
    let node = lab.node(STANDBY);
    let start = |reach: &str| {
        let setup = Setup {
            node: format!("local_clients = \"{reach}\"\n"),
            ..Setup::new(&service, 150)
        };
        let agent = Agent::start_as(&program, node, &setup).unwrap();
        until("b is Backup", || matches!(agent.is_active(), Ok(false)));
        agent
    };
    let of_node = |parameter: &str| {
        let place = format!("/proc/sys/net/ipv4/conf/{INTERFACE}/{parameter}");
        let value = node.namespace().run(|| Ok(std::fs::read_to_string(place)?));
        value.unwrap().trim().to_owned()
    };
    assert_eq!(of_node("accept_local"), "0");

    let mut agent = start("own");
    assert_eq!(on_loopback(node), 0);
    assert_eq!(routes(node), 0);
    assert_eq!(of_node("accept_local"), "0");
    Program::on(node).reaches("b");
    agent.daemon().stop(LIMIT).unwrap();

    let mut agent = start("active");
    assert_eq!(of_node("accept_local"), "1");
    assert_eq!((on_loopback(node), routes(node)), (1, 2));
    let client = Program::on(node);
    client.reaches("a");
    // It goes on while there is no agent.
    agent.daemon().kill().unwrap();
    client.reaches("a");
    let mut agent = start("active");
    assert_eq!((on_loopback(node), routes(node)), (1, 2));
    client.reaches("a");
    agent.daemon().stop(LIMIT).unwrap();
    client.reaches("a");

    let mut agent = start("own");
    assert_eq!((on_loopback(node), routes(node)), (0, 0));
    assert_eq!(of_node("accept_local"), "0");
    client.reaches("b");
    agent.daemon().stop(LIMIT).unwrap();

    start("active").daemon().stop(LIMIT).unwrap();
    let mut detach = node.namespace().command(&program).unwrap();
    detach.arg("--pin-dir").arg(node.pins());
    command::run(detach.args(["detach", "--all"])).unwrap();
    assert_eq!((on_loopback(node), routes(node)), (0, 0));
    assert_eq!(of_node("accept_local"), "0");
}

/// The own address of a node, the source of such packets, goes and comes; the service does not care.
#[test]
fn the_service_outlives_the_source_of_its_clients() {
    let cluster = start(AnsweringMac::Virtual);
    let node = cluster.lab().node(PREFERRED);
    let own = node.station().v4;
    let address = |what: &str| {
        let line = format!("addr {what} {own}/{} dev {INTERFACE}\n", address::PREFIX4);
        command::ip_batch(node.namespace().name(), &line).unwrap();
    };
    assert_eq!(routes(node), 2);
    // Whether the kernel takes the route with that source away as well differs from release to release.
    address("del");
    let client = cluster.lab().client();
    let ask = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_read_timeout(Some(AT_ONCE))?;
        socket.send_to(b"who", service_at(vips()[0]))?;
        Ok(who(&socket, 3))
    };
    // Without an address the node has no route to the client, but it has the virtual IP.
    let local = ip(node, &["route", "show", "table", "local", "proto", "112"]);
    assert!(local.contains(&vips()[0].to_string()), "{local}");
    address("add");
    assert_eq!(client.run(ask).unwrap().unwrap(), "a");
}

/// As on a kernel before 6.6, which this one does as well.
#[test]
fn without_links_it_is_a_filter() {
    let lab = Lab::create(&["a"]).unwrap();
    let node = lab.node(0);
    let pins = PinDir::new(node.pins());
    let filters = || {
        let mut tc = node.namespace().command("tc").unwrap();
        let shown = command::run(tc.args(["filter", "show", "dev", "lo", "egress"]));
        shown.unwrap().matches("direct-action").count()
    };
    for _ in 0..2 {
        let attach = || {
            let mut ebpf = Ebpf::load(OBJECT)?;
            local::attach_by(Hook::Filter, &mut ebpf, &pins)
        };
        node.namespace().run(attach).unwrap();
        assert_eq!(filters(), 1);
    }
    std::fs::create_dir_all(pins.path()).unwrap();
    node.namespace().run(|| local::remove(&pins)).unwrap();
    assert_eq!(filters(), 0);
}

/// How many programs with a link are at the egress hook of a node's loopback interface.
fn on_loopback(node: &Node) -> usize {
    let query = || Ok(SchedClassifier::query_tcx("lo", TcAttachType::Egress)?);
    let (_, programs) = node.namespace().run(query).unwrap();
    let ours = |found: &&aya::programs::ProgramInfo| found.name() == program::LOCAL.as_bytes();
    programs.iter().filter(ours).count()
}

/// How many routes a node has for such packets.
fn routes(node: &Node) -> usize {
    let shown = ["-4", "-6"].map(|family| {
        let shown = ["route", "show", "table", "local", "proto", "113"];
        ip(node, &[&[family][..], &shown].concat())
    });
    shown
        .iter()
        .map(|routes| routes.matches("dev lo").count())
        .sum()
}

fn ip(node: &Node, arguments: &[&str]) -> String {
    let mut ip = node.namespace().command("ip").unwrap();
    command::run(ip.args(arguments)).unwrap()
}
