//! Applications at virtual IPs: sockets that are bound before the node has the address, connections from it, and what a
//! take-over means for those that there are.
//!
//! Takes the built agent and root. `cargo xtask test` sees to both.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread::sleep,
    time::{Duration, Instant},
};

use ha_lab::{
    address,
    cluster::{Cluster, PREFERRED, STANDBY, Service, System},
    command,
    ear::Ear,
    lab::Lab,
    node::{INTERFACE, Node},
    under_test, waiting,
};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

const LIMIT: Duration = Duration::from_secs(10);
/// Within which a reset comes.
const AT_ONCE: Duration = Duration::from_secs(1);
/// After which an application gives a connection up that does not get anything through.
const USER_TIMEOUT: Duration = Duration::from_millis(1500);
const PORT: u16 = 4242;

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}

fn client() -> [IpAddr; 2] {
    [address::CLIENT.v4.into(), address::CLIENT.v6.into()]
}

fn start() -> Cluster {
    let cluster = Cluster::start(&System::HaAgent(under_test::agent()), Service::new(1, 1));
    let cluster = cluster.unwrap();
    for node in cluster.lab().nodes() {
        know_client(node);
    }
    cluster
}

/// So that nothing but the packet itself is in question.
fn know_client(node: &Node) {
    let mac = address::CLIENT
        .mac
        .map(|byte| format!("{byte:02x}"))
        .join(":");
    let entries = client().map(|to| format!("neigh replace {to} lladdr {mac} dev {INTERFACE}\n"));
    command::ip_batch(node.namespace().name(), &entries.concat()).unwrap();
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    waiting::until(LIMIT, what, is_so);
}

/// Bound to a virtual IP, whether or not the node has it.
fn bind(vip: IpAddr, kind: Type, port: u16) -> Socket {
    let address = SocketAddr::new(vip, port);
    let socket = Socket::new(Domain::for_address(address), kind, None).unwrap();
    match vip {
        IpAddr::V4(_) => socket.set_freebind_v4(true).unwrap(),
        IpAddr::V6(_) => socket.set_freebind_v6(true).unwrap(),
    }
    socket.bind(&address.into()).unwrap();
    socket
}

/// An application that was started before the node has the addresses, and is not started again.
struct Application {
    listeners: [TcpListener; 2],
    datagrams: [UdpSocket; 2],
}

impl Application {
    fn on(node: &Node) -> Self {
        let open = || {
            Ok(Self {
                listeners: vips().map(|vip| {
                    let socket = bind(vip, Type::STREAM, PORT);
                    socket.listen(8).unwrap();
                    socket.set_nonblocking(true).unwrap();
                    socket.into()
                }),
                datagrams: vips().map(|vip| {
                    let socket: UdpSocket = bind(vip, Type::DGRAM, PORT).into();
                    socket.set_read_timeout(Some(LIMIT)).unwrap();
                    socket
                }),
            })
        };
        node.namespace().run(open).unwrap()
    }

    /// A connection from the client to it.
    fn connect(&self, lab: &Lab, family: usize) -> (TcpStream, TcpStream) {
        let to = SocketAddr::new(vips()[family], PORT);
        let connect = || Ok(TcpStream::connect_timeout(&to, LIMIT)?);
        let client = lab.client().run(connect).unwrap();
        let begun = Instant::now();
        let server = loop {
            match self.listeners[family].accept() {
                Ok((server, _)) => break server,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(begun.elapsed() < LIMIT, "somebody else accepted {to}");
            sleep(Duration::from_millis(5));
        };
        server.set_nonblocking(false).unwrap();
        let (mut ours, mut theirs) = (server, client);
        ping(&mut ours, &mut theirs);
        (theirs, ours)
    }

    /// It answers the client by both protocols in both families.
    fn serves(&self, lab: &Lab) {
        for (family, vip) in vips().into_iter().enumerate() {
            self.connect(lab, family);
            let any = if vip.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let asker = lab.client().run(|| Ok(UdpSocket::bind(any)?)).unwrap();
            asker.set_read_timeout(Some(AT_ONCE)).unwrap();
            asker.send_to(b"question", (vip, PORT)).unwrap();
            let mut word = [0; 8];
            let (_, from) = self.datagrams[family].recv_from(&mut word).unwrap();
            self.datagrams[family].send_to(b"answer", from).unwrap();
            let (len, from) = asker.recv_from(&mut word).unwrap();
            assert_eq!((&word[..len], from.ip()), (&b"answer"[..], vip));
        }
    }
}

/// Both ends hear each other.
fn ping(one: &mut TcpStream, other: &mut TcpStream) {
    let mut word = [0; 4];
    one.write_all(b"ping").unwrap();
    other.set_read_timeout(Some(LIMIT)).unwrap();
    other.read_exact(&mut word).unwrap();
    other.write_all(b"pong").unwrap();
    one.set_read_timeout(Some(LIMIT)).unwrap();
    one.read_exact(&mut word).unwrap();
}

/// How a connection ends at which nobody closes, and how long it takes.
fn end(connection: &mut TcpStream, patience: Duration) -> (ErrorKind, Duration) {
    let begun = Instant::now();
    connection.set_read_timeout(Some(patience)).unwrap();
    let error = connection.read(&mut [0; 8]).unwrap_err();
    (error.kind(), begun.elapsed())
}

fn is_silent(connection: &mut TcpStream) -> bool {
    let (kind, _) = end(connection, Duration::from_millis(300));
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Connections of the client at the old owner when another node takes over.
fn take_over(what: &str, happen: impl FnOnce(&mut Cluster), is_reachable: bool) {
    let mut cluster = start();
    let applications = [PREFERRED, STANDBY].map(|node| Application::on(cluster.lab().node(node)));
    let [old, new] = &applications;
    old.serves(cluster.lab());
    let mut talkers = [0, 1].map(|family| old.connect(cluster.lab(), family));
    let mut idle = [0, 1].map(|family| old.connect(cluster.lab(), family));
    let mut alive = [0, 1].map(|family| old.connect(cluster.lab(), family));
    for (client, _) in &alive {
        let second = Duration::from_secs(1);
        let keepalive = TcpKeepalive::new().with_time(second).with_interval(second);
        SockRef::from(client).set_tcp_keepalive(&keepalive).unwrap();
    }
    // The service as a client itself: from its address to a server at the client.
    let mut outgoing =
        [0, 1].map(|family| outgoing(cluster.lab(), cluster.lab().node(PREFERRED), family));

    happen(&mut cluster);
    until(what, || {
        matches!(cluster.is_active(STANDBY), Ok(Some(true)))
    });
    for (family, vip) in vips().into_iter().enumerate() {
        let what = format!("{what}, {vip}");
        // Who says nothing hears nothing.
        assert!(is_silent(&mut idle[family].0), "{what}");
        // Who says something is told at once.
        talkers[family].0.write_all(b"hello?").unwrap();
        let (kind, after) = end(&mut talkers[family].0, LIMIT);
        assert_eq!(kind, ErrorKind::ConnectionReset, "{what}");
        assert!(after < AT_ONCE, "{what}: {after:?}");
        // The kernel can say something for him.
        let (kind, _) = end(&mut alive[family].0, LIMIT);
        assert_eq!(kind, ErrorKind::ConnectionReset, "{what}");
        // So is the server that the service had connected to.
        outgoing[family].1.write_all(b"hello?").unwrap();
        let (kind, after) = end(&mut outgoing[family].1, LIMIT);
        assert_eq!(kind, ErrorKind::ConnectionReset, "{what}, outgoing");
        assert!(after < AT_ONCE, "{what}, outgoing: {after:?}");
        if is_reachable {
            // The old owner gets nothing out and nothing in; its applications learn by their own time-outs.
            for connection in [&mut idle[family].1, &mut outgoing[family].0] {
                let timeout = Some(USER_TIMEOUT);
                SockRef::from(&*connection)
                    .set_tcp_user_timeout(timeout)
                    .unwrap();
                connection.write_all(b"still there?").unwrap();
                assert_eq!(end(connection, LIMIT).0, ErrorKind::TimedOut, "{what}");
            }
        }
    }
    new.serves(cluster.lab());
}

/// A connection from a virtual IP on a node to a server at the client: both ends.
fn outgoing(lab: &Lab, node: &Node, family: usize) -> (TcpStream, TcpStream) {
    let at = SocketAddr::new(client()[family], 0);
    let server = lab.client().run(|| Ok(TcpListener::bind(at)?)).unwrap();
    let to = server.local_addr().unwrap();
    let connect = || {
        let socket = bind(vips()[family], Type::STREAM, 0);
        socket.connect_timeout(&to.into(), LIMIT)?;
        Ok(TcpStream::from(socket))
    };
    let mut ours = node.namespace().run(connect).unwrap();
    let (mut theirs, from) = server.accept().unwrap();
    assert_eq!(from.ip(), vips()[family]);
    ping(&mut ours, &mut theirs);
    (ours, theirs)
}

#[test]
fn a_switchover_resets_connections_at_the_next_word() {
    let happen = |cluster: &mut Cluster| cluster.switch_over(PREFERRED).unwrap();
    take_over("switchover", happen, true);
}

#[test]
fn so_does_the_death_of_the_agent() {
    let happen = |cluster: &mut Cluster| cluster.daemon(PREFERRED).kill().unwrap();
    take_over("agent killed", happen, true);
}

#[test]
fn so_does_the_loss_of_the_node() {
    let happen = |cluster: &mut Cluster| cluster.lab().unplug(PREFERRED).unwrap();
    take_over("power off", happen, false);
}

#[test]
fn only_the_active_node_can_use_the_address_as_a_source() {
    let cluster = start();
    let lab = cluster.lab();
    let node = lab.node(PREFERRED);
    let others = |family: usize| {
        let at = SocketAddr::new(client()[family], PORT);
        let socket = lab.client().run(|| Ok(UdpSocket::bind(at)?)).unwrap();
        socket.set_read_timeout(Some(AT_ONCE)).unwrap();
        socket
    };
    let servers = [0, 1].map(others);
    for (family, vip) in vips().into_iter().enumerate() {
        outgoing(lab, node, family);
        let open = || Ok(UdpSocket::from(bind(vip, Type::DGRAM, 0)));
        let socket = node.namespace().run(open).unwrap();
        socket.set_read_timeout(Some(AT_ONCE)).unwrap();
        socket.send_to(b"word", (client()[family], PORT)).unwrap();
        let mut word = [0; 8];
        let (_, from) = servers[family].recv_from(&mut word).unwrap();
        assert_eq!(from.ip(), vip);
        servers[family].send_to(b"answer", from).unwrap();
        assert_eq!(socket.recv(&mut word).unwrap(), 6);
    }

    // On the other node nothing gets out.
    let node = lab.node(STANDBY);
    let ear = Ear::at(lab, STANDBY).unwrap();
    let counted = || {
        cluster
            .agent(STANDBY)
            .unwrap()
            .counted("egress_ip")
            .unwrap()
    };
    for (family, vip) in vips().into_iter().enumerate() {
        let before = counted();
        let to = SocketAddr::new(client()[family], PORT);
        node.namespace()
            .run(|| {
                let refused = bind(vip, Type::STREAM, 0).connect_timeout(&to.into(), AT_ONCE);
                assert_eq!(refused.unwrap_err().kind(), ErrorKind::TimedOut);
                // Of datagrams an application hears only if it asks to be told.
                let socket = bind(vip, Type::DGRAM, 0);
                assert_eq!(socket.send_to(b"word", &to.into())?, 4);
                tell_errors(&socket, vip);
                let error = socket.send_to(b"word", &to.into()).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS), "{vip}");
                Ok(())
            })
            .unwrap();
        assert!(counted() >= before + 3, "{vip}");
    }
    let heard = ear.heard().unwrap();
    let speaks = |frame: &Vec<u8>| {
        let [IpAddr::V4(v4), IpAddr::V6(v6)] = vips() else {
            panic!("{:?}", vips());
        };
        frame.get(26..30) == Some(&v4.octets()) || frame.get(22..38) == Some(&v6.octets())
    };
    assert!(!heard.iter().any(speaks), "the Backup was heard");
}

/// `IP_RECVERR`, `IPV6_RECVERR`: errors are not only counted.
fn tell_errors(socket: &Socket, vip: IpAddr) {
    use nix::sys::socket::{setsockopt, sockopt};
    match vip {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true).unwrap(),
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true).unwrap(),
    }
}

/// A route can choose the address as the source for programs that do not; in IPv6 the kernel wants it on an interface.
#[test]
fn a_route_can_have_the_address_as_its_source() {
    let cluster = start();
    let lab = cluster.lab();
    let node = lab.node(PREFERRED);
    let route = |family: usize| {
        let (to, vip) = (client()[family], vips()[family]);
        let line = format!("route add {to} dev {INTERFACE} src {vip}\n");
        command::ip_batch(node.namespace().name(), &line)
    };
    route(0).unwrap();
    assert!(route(1).is_err());
    let server = lab
        .client()
        .run(|| Ok(TcpListener::bind((client()[0], PORT))?));
    let server = server.unwrap();
    let connect = || Ok(TcpStream::connect((client()[0], PORT))?);
    let mut ours = node.namespace().run(connect).unwrap();
    let (mut theirs, from) = server.accept().unwrap();
    assert_eq!(from.ip(), vips()[0]);
    ping(&mut ours, &mut theirs);
}
