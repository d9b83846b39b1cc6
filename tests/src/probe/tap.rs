//! Which node an answer came from, by the switch port through which it entered.
//!
//! Two nodes that share a virtual MAC give the same answers, so nothing in an ARP reply, a neighbour
//! advertisement or an echo reply tells who sent it. The port does, as it would on a real switch.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, bail};
use nix::net::if_::if_nametoindex;
use socket2::{SockFilter, Socket};

use super::{
    channel::{Inbox, prepare},
    clock::Clock,
    frame::{Reply, parse_reply},
};
use crate::{
    filter::{ACCEPT, ETHERTYPE, PAYLOAD, REJECT, byte, equal, half},
    lab::Lab,
    sys,
};

/// An answer that entered the switch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub reply: Reply,
    pub at: Duration,
    pub node: u8,
}

/// Listens on the nodes' ports until `stop`.
pub(super) fn start(
    lab: &Lab,
    clock: Clock,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<Result<Vec<Sighting>>>> {
    let mut ports = Vec::new();
    for node in lab.nodes() {
        for (name, ifindex) in lab.ports_of(node)? {
            ports.push(Port {
                node: node.index(),
                name,
                ifindex,
                socket: lab.switch().run(|| Ok(open(ifindex)?))?,
            });
        }
    }
    lab.switch()
        .spawn("tap", move || listen(ports, clock, &stop))
}

/// A port of the switch, and what listens there.
struct Port {
    node: u8,
    name: String,
    ifindex: u32,
    socket: Socket,
}

impl Port {
    /// Listens where a port was put in, in place of one that was taken out. The thread must be in the switch.
    fn follow(&mut self) -> Result<()> {
        match if_nametoindex(self.name.as_str()) {
            Ok(ifindex) if ifindex != self.ifindex => {
                self.expect_no_drops()?;
                self.socket = open(ifindex)?;
                self.ifindex = ifindex;
                Ok(())
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn expect_no_drops(&self) -> Result<()> {
        match sys::packet_drops(&self.socket)? {
            0 => Ok(()),
            dropped => bail!("the switch tap missed {dropped} frames: the machine is too slow"),
        }
    }
}

fn open(ifindex: u32) -> std::io::Result<Socket> {
    let socket = sys::packet_socket(libc::ETH_P_ALL as u16, ifindex)?;
    socket.attach_filter(&answers_only())?;
    prepare(&socket)?;
    Ok(socket)
}

fn listen(mut ports: Vec<Port>, clock: Clock, stop: &AtomicBool) -> Result<Vec<Sighting>> {
    // The kernel stamps and keeps what arrives, so there is no hurry.
    const ROUND: Duration = Duration::from_millis(5);
    let mut inbox = Inbox::new(clock);
    let mut sightings = Vec::new();
    loop {
        let last_round = stop.load(Ordering::Acquire);
        inbox.adjust();
        for port in &mut ports {
            while let Some((bytes, at)) = inbox.next(&port.socket)? {
                if let Some(reply) = parse_reply(bytes) {
                    let node = port.node;
                    sightings.push(Sighting { reply, at, node });
                }
            }
            port.follow()?;
        }
        if last_round {
            break;
        }
        thread::sleep(ROUND);
    }
    ports.iter().try_for_each(Port::expect_no_drops)?;
    Ok(sightings)
}

/// Lets only ARP replies, echo replies and neighbour advertisements pass, so that the probes
/// themselves cost nothing here.
const fn answers_only() -> [SockFilter; 17] {
    [
        half(ETHERTYPE),
        equal(libc::ETH_P_ARP as u32, 0, 2),
        // ARP: the operation is a reply.
        half(PAYLOAD + 6),
        equal(2, 11, 12),
        equal(libc::ETH_P_IP as u32, 0, 4),
        // IPv4 without options: ICMP, echo reply.
        byte(PAYLOAD + 9),
        equal(libc::IPPROTO_ICMP as u32, 0, 9),
        byte(PAYLOAD + 20),
        equal(0, 6, 7),
        equal(libc::ETH_P_IPV6 as u32, 0, 6),
        // IPv6 without extension headers: ICMPv6, echo reply or neighbour advertisement.
        byte(PAYLOAD + 6),
        equal(libc::IPPROTO_ICMPV6 as u32, 0, 4),
        byte(PAYLOAD + 40),
        equal(129, 1, 0),
        equal(136, 0, 1),
        ACCEPT,
        REJECT,
    ]
}
