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

use anyhow::{Context, Result, bail};
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
        let ifindex = lab.switch().ifindex(node.name())?;
        let socket = lab.switch().run(|| Ok(open(ifindex)?))?;
        ports.push((node.index(), socket));
    }
    thread::Builder::new()
        .name("tap".to_owned())
        .spawn(move || listen(&ports, clock, &stop))
        .context("starting the thread that listens on the switch")
}

fn open(ifindex: u32) -> std::io::Result<Socket> {
    let socket = sys::packet_socket(libc::ETH_P_ALL as u16, ifindex)?;
    socket.attach_filter(&answers_only())?;
    prepare(&socket)?;
    Ok(socket)
}

fn listen(ports: &[(u8, Socket)], clock: Clock, stop: &AtomicBool) -> Result<Vec<Sighting>> {
    // The kernel stamps and keeps what arrives, so there is no hurry.
    const ROUND: Duration = Duration::from_millis(5);
    let mut inbox = Inbox::new(clock);
    let mut sightings = Vec::new();
    loop {
        let last_round = stop.load(Ordering::Acquire);
        inbox.adjust();
        for (node, socket) in ports {
            while let Some((bytes, at)) = inbox.next(socket)? {
                if let Some(reply) = parse_reply(bytes) {
                    let node = *node;
                    sightings.push(Sighting { reply, at, node });
                }
            }
        }
        if last_round {
            break;
        }
        thread::sleep(ROUND);
    }
    for (_, socket) in ports {
        match sys::packet_drops(socket)? {
            0 => {}
            dropped => bail!("the switch tap missed {dropped} frames: the machine is too slow"),
        }
    }
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
