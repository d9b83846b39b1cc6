//! A cable of a machine: a qemu socket, whose other end is a tap in a namespace of the lab.
//!
//! A machine whose virtual IPs are on a VLAN is on a trunk port of the switch. The lab's stations know no VLANs (nor
//! need the host's kernel), so the tags are put on and taken off here. What the machine sends untagged, which concerns
//! the other machine only, has a tag on the switch.

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
/// Where tags are in a frame: behind the two MACs.
const TAGS: usize = 12;
/// The tag that untagged frames of machines have on the switch: VLAN 100.
const NATIVE: [u8; 4] = [0x81, 0x00, 0, 100];
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
    /// Lays it to a new tap; the sockets are files in `dir`. `marks` are the tags of the VLAN that the lab's stations
    /// are on, as octets; none if they are on none.
    ///
    /// # Errors
    ///
    /// When the tap or the socket cannot be made.
    pub fn lay(namespace: &NetNs, tap: &str, dir: &Path, marks: Vec<u8>) -> Result<Self> {
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
        let trunk = marks.clone();
        cable.spawn(move |stop| to_machine(&from, (&to, &machine), &trunk, stop))?;
        cable.spawn(move |stop| from_machine(&socket, &end, &marks, stop))?;
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

fn to_machine(
    mut tap: &File,
    (socket, machine): (&UnixDatagram, &Path),
    marks: &[u8],
    stop: &AtomicBool,
) {
    let look_for_stop = PollTimeout::from(50u8);
    let mut frame = [0; HEADER + LONGEST];
    while !stop.load(Ordering::Acquire) {
        let mut ready = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ready, look_for_stop), Ok(1..)) {
            continue;
        }
        // Without a machine, or to one that does not read, a frame is lost as on any cable.
        if let Ok(len @ HEADER..) = tap.read(&mut frame) {
            let sent = swapped(&frame[HEADER..len], &NATIVE, marks);
            let _ = socket.send_to(&sent, machine);
        }
    }
}

fn from_machine(socket: &UnixDatagram, mut tap: &File, marks: &[u8], stop: &AtomicBool) {
    let mut frame = [0; LONGEST];
    while !stop.load(Ordering::Acquire) {
        if let Ok(len @ 1..) = socket.recv(&mut frame) {
            let mut sent = vec![0; HEADER];
            sent.extend(swapped(&frame[..len], marks, &NATIVE));
            // A tap that is down takes nothing.
            let _ = tap.write(&sent);
        }
    }
}

/// The frame without the tags `off`, or with `on` if it has them not. Without a VLAN, one of these is empty, and the
/// frame stays what it is.
fn swapped(frame: &[u8], off: &[u8], on: &[u8]) -> Vec<u8> {
    let (macs, rest) = frame.split_at(TAGS.min(frame.len()));
    if off.is_empty() || on.is_empty() {
        return frame.to_vec();
    }
    match rest.strip_prefix(off) {
        Some(rest) => [macs, rest].concat(),
        None => [macs, on, rest].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{NATIVE, swapped};

    #[test]
    fn a_trunk_swaps_tagged_and_untagged() {
        let marks = [0x81, 0, 0, 7];
        let frame: Vec<u8> = (0..20).collect();
        let tagged = swapped(&frame, &NATIVE, &marks);
        assert_eq!(tagged[12..16], marks);
        assert_eq!(swapped(&tagged, &marks, &NATIVE), frame);
        let other = swapped(&frame, &marks, &NATIVE);
        assert_eq!(other[12..16], NATIVE);
        assert_eq!(swapped(&other, &NATIVE, &marks), frame);
    }

    #[test]
    fn without_a_vlan_nothing_changes() {
        let frame: Vec<u8> = (0..20).collect();
        assert_eq!(swapped(&frame, &NATIVE, &[]), frame);
        assert_eq!(swapped(&frame, &[], &NATIVE), frame);
    }
}
