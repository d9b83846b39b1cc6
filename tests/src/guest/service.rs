//! What a guest serves: it counts and returns datagrams with its name, and takes and sends long streams.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Result;
use nix::sys::socket::{setsockopt, sockopt};

use super::stream;
use crate::sys;

/// UDP and TCP port.
pub const PORT: u16 = 4001;

/// How often the threads look whether they are to end.
const PULSE: Duration = Duration::from_millis(50);

/// The service, in threads of a guest. Ends on drop.
#[derive(Debug)]
pub struct Service {
    datagrams: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Service {
    /// Serves these addresses in the calling thread's network namespace.
    ///
    /// # Errors
    ///
    /// When a socket cannot be opened.
    pub fn start(name: &str, vips: &[IpAddr]) -> Result<Self> {
        let mut service = Self {
            datagrams: Arc::new(AtomicU64::new(0)),
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        for vip in vips {
            let address = SocketAddr::new(*vip, PORT);
            let (udp, tcp) = (UdpSocket::bind(address)?, TcpListener::bind(address)?);
            udp.set_read_timeout(Some(PULSE))?;
            setsockopt(&udp, sockopt::RcvBufForce, &(64 << 20))?;
            tcp.set_nonblocking(true)?;
            let own_name = name.as_bytes().to_vec();
            let datagrams = Arc::clone(&service.datagrams);
            service.spawn(name, move |stop| answer(&udp, &own_name, &datagrams, stop))?;
            service.spawn(name, move |stop| accept(&tcp, stop))?;
        }
        Ok(service)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&AtomicBool) -> io::Result<()> + Send + 'static,
    ) -> Result<()> {
        let stop = Arc::clone(&self.stop);
        let thread = thread::Builder::new().name(name.to_owned());
        self.threads.push(thread.spawn(move || work(&stop))?);
        Ok(())
    }

    /// How many datagrams have come.
    #[must_use]
    pub fn datagrams(&self) -> u64 {
        self.datagrams.load(Ordering::Acquire)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // An error or a panic shows in what the client misses.
            let _ = thread.join();
        }
    }
}

fn answer(udp: &UdpSocket, name: &[u8], count: &AtomicU64, stop: &AtomicBool) -> io::Result<()> {
    let _ = sys::become_real_time();
    let mut packet = [0; 2048];
    while !stop.load(Ordering::Acquire) {
        match udp.recv_from(&mut packet) {
            Ok((_, from)) => {
                count.fetch_add(1, Ordering::AcqRel);
                // The way back may be closed: this node is not Active any more.
                let _ = udp.send_to(name, from);
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn accept(tcp: &TcpListener, stop: &AtomicBool) -> io::Result<()> {
    while !stop.load(Ordering::Acquire) {
        match tcp.accept() {
            Ok((connection, _)) => {
                // The client sees what went wrong.
                let _ = serve(&connection);
            }
            Err(error) if is_timeout(&error) => thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn serve(connection: &TcpStream) -> io::Result<()> {
    connection.set_nonblocking(false)?;
    stream::serve(connection)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
