//! A thousand datagrams a second to a virtual IP, and which guest answered each.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use nix::sys::socket::{setsockopt, sockopt};

use super::service::PORT;
use crate::{netns::NetNs, sys};

/// Time between two datagrams.
const INTERVAL: Duration = Duration::from_millis(1);
/// How long the last answer may take.
const ON_THE_WAY: Duration = Duration::from_millis(500);

/// What was asked and answered.
#[derive(Clone, Debug, Default)]
pub struct Beats {
    /// Datagrams sent.
    pub sent: u64,
    /// Answers by the name of the guest.
    pub answers: BTreeMap<String, u64>,
    /// Who answered last.
    pub last: Option<String>,
}

impl Beats {
    /// How many were not answered.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sent - self.answers.values().sum::<u64>()
    }
}

/// A running client.
#[derive(Debug)]
pub struct Pulse {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Beats>>>,
}

impl Pulse {
    /// Begins to ask.
    ///
    /// # Errors
    ///
    /// When a socket cannot be opened.
    pub fn start(client: &NetNs, vip: IpAddr) -> Result<Self> {
        let socket = open(client, vip)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("pulse".to_owned())
            .spawn(move || Ok(beat(&socket, &stopped)))?;
        let thread = Some(thread);
        Ok(Self { stop, thread })
    }

    /// Ends, and waits for the last answers.
    ///
    /// # Errors
    ///
    /// When the thread panicked.
    pub fn end(mut self) -> Result<Beats> {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.take();
        let thread = thread.ok_or_else(|| anyhow!("it has ended"))?;
        thread.join().map_err(|_| anyhow!("the pulse panicked"))?
    }
}

/// Sends so many datagrams in small bursts, and waits until none is on its way any more. While the socket is open,
/// late answers are not refused, which would be more packets to the guest.
///
/// # Errors
///
/// When a socket cannot be opened, or the kernel refuses one of them.
pub fn burst(client: &NetNs, vip: IpAddr, count: u64) -> Result<UdpSocket> {
    const AT_ONCE: u64 = 32;
    let socket = open(client, vip)?;
    for number in 0..count {
        socket.send(&number.to_be_bytes())?;
        if number % AT_ONCE == AT_ONCE - 1 {
            sleep(INTERVAL);
        }
    }
    sleep(ON_THE_WAY);
    Ok(socket)
}

fn open(client: &NetNs, vip: IpAddr) -> Result<UdpSocket> {
    let socket = client.run(|| {
        let any: IpAddr = match vip {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(SocketAddr::new(vip, PORT))?;
        Ok(socket)
    })?;
    setsockopt(&socket, sockopt::RcvBufForce, &(16 << 20))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn beat(socket: &UdpSocket, stop: &AtomicBool) -> Beats {
    let _ = sys::become_real_time();
    let mut beats = Beats::default();
    let mut next = Instant::now();
    while !stop.load(Ordering::Acquire) {
        // What the kernel refuses was not answered either.
        let _ = socket.send(&beats.sent.to_be_bytes());
        beats.sent += 1;
        next += INTERVAL;
        collect(socket, &mut beats);
        sleep(next.saturating_duration_since(Instant::now()));
    }
    sleep(ON_THE_WAY);
    collect(socket, &mut beats);
    beats
}

fn collect(socket: &UdpSocket, beats: &mut Beats) {
    let mut packet = [0; 64];
    while let Ok(len) = socket.recv(&mut packet) {
        let name = String::from_utf8_lossy(&packet[..len]).into_owned();
        *beats.answers.entry(name.clone()).or_default() += 1;
        beats.last = Some(name);
    }
}
