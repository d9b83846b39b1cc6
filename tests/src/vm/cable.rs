//! A cable of a machine: a qemu socket, whose other end is a tap in a namespace of the lab.

use std::{
    fs::File,
    io::{Read, Write},
    os::{fd::AsFd, unix::net::UnixDatagram},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{netns::NetNs, sys};

/// Octets of the header of virtio networks before each frame of the tap, all zero where nothing was left undone
/// (`struct virtio_net_hdr`).
const HEADER: usize = 10;
/// Octets of the longest frame: one with two tags.
const LONGEST: usize = 1522;
/// How often the threads look whether they are to end.
const PULSE: Duration = Duration::from_millis(50);

/// A cable. Pulled out for good on drop.
#[derive(Debug)]
pub struct Cable {
    machine: PathBuf,
    wall: PathBuf,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Cable {
    /// Lays it to a new tap; the sockets are files in `dir`.
    ///
    /// # Errors
    ///
    /// When the tap or the socket cannot be made.
    pub fn lay(namespace: &NetNs, tap: &str, dir: &Path) -> Result<Self> {
        let (machine, wall) = (
            dir.join(format!("{tap}.machine")),
            dir.join(format!("{tap}.wall")),
        );
        let end = namespace.run(|| Ok(sys::open_tap(tap)?))?;
        // The namespace's kernel then sends nothing that lacks a checksum or is too long.
        sys::set_tap_offloads(&end, false)?;
        let socket = UnixDatagram::bind(&wall)
            .with_context(|| format!("making the socket {}", wall.display()))?;
        // A machine that stands still must not hold a thread.
        socket.set_write_timeout(Some(PULSE))?;
        socket.set_read_timeout(Some(PULSE))?;
        let mut cable = Self {
            machine,
            wall,
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        let (from, to) = (end.try_clone()?, socket.try_clone()?);
        let machine = cable.machine.clone();
        cable.spawn(move |stop| to_machine(&from, &to, &machine, stop))?;
        cable.spawn(move |stop| from_machine(&socket, &end, stop))?;
        Ok(cable)
    }

    /// Its end at the machine, as [`super::Nic::backend`] has it.
    #[must_use]
    pub fn backend(&self) -> String {
        format!(
            "dgram,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            self.machine.display(),
            self.wall.display()
        )
    }

    fn spawn(&mut self, work: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<()> {
        let stop = Arc::clone(&self.stop);
        let thread = thread::Builder::new().name("cable".to_owned());
        self.threads.push(thread.spawn(move || work(&stop))?);
        Ok(())
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn to_machine(mut tap: &File, socket: &UnixDatagram, machine: &Path, stop: &AtomicBool) {
    let look_for_stop = PollTimeout::from(50u8);
    let mut frame = [0; HEADER + LONGEST];
    while !stop.load(Ordering::Acquire) {
        let mut ready = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ready, look_for_stop), Ok(1..)) {
            continue;
        }
        // Without a machine, or to one that does not read, a frame is lost as on any cable.
        if let Ok(len @ HEADER..) = tap.read(&mut frame) {
            let _ = socket.send_to(&frame[HEADER..len], machine);
        }
    }
}

fn from_machine(socket: &UnixDatagram, mut tap: &File, stop: &AtomicBool) {
    let mut frame = [0; HEADER + LONGEST];
    while !stop.load(Ordering::Acquire) {
        if let Ok(len @ 1..) = socket.recv(&mut frame[HEADER..]) {
            // A tap that is down takes nothing.
            let _ = tap.write(&frame[..HEADER + len]);
        }
    }
}
