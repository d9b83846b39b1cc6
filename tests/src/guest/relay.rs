//! The stand-in for a virtual machine's NIC: frames are carried between the hypervisor's tap or macvtap and a tap in
//! the guest's namespace, with the header in which virtio networks say what has been left undone.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{command, netns::NetNs, node::INTERFACE, sys};

/// Octets of the longest frame with its header: a segment before it is cut up.
const LONGEST: usize = (64 << 10) + 256;

/// Two threads, one for each direction. End on drop.
#[derive(Debug)]
pub(super) struct Relay {
    ends: [File; 2],
    stop: Arc<AtomicBool>,
    paused: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Gives the guest an interface with this MAC that is connected to `outside`.
    pub(super) fn start(guest: &NetNs, outside: File, mac: &str) -> Result<Self> {
        let inside = guest.run(|| Ok(sys::open_tap(INTERFACE)?))?;
        command::ip_batch(
            guest.name(),
            &format!("link set dev {INTERFACE} address {mac}\n"),
        )?;
        let stop = Arc::new(AtomicBool::new(false));
        let paused = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for (from, to, may_pause) in [(&outside, &inside, true), (&inside, &outside, false)] {
            let (from, to) = (from.try_clone()?, to.try_clone()?);
            let (stop, paused) = (Arc::clone(&stop), Arc::clone(&paused));
            let carry = move || carry(&from, &to, &stop, may_pause.then_some(&*paused));
            threads.push(
                thread::Builder::new()
                    .name("relay".to_owned())
                    .spawn(carry)?,
            );
        }
        Ok(Self {
            ends: [outside, inside],
            stop,
            paused,
            threads,
        })
    }

    /// Whether frames may be carried before they have checksums and lengths for the wire.
    pub(super) fn set_offloads(&self, on: bool) -> Result<()> {
        for end in &self.ends {
            sys::set_tap_offloads(end, on)?;
        }
        Ok(())
    }

    /// Lets what comes for the guest lie, or carries it again.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic there has been printed.
            let _ = thread.join();
        }
    }
}

fn carry(mut from: &File, mut to: &File, stop: &AtomicBool, paused: Option<&AtomicBool>) {
    let look_for_stop = PollTimeout::from(50u8);
    let mut frame = vec![0; LONGEST];
    while !stop.load(Ordering::Acquire) {
        if paused.is_some_and(|paused| paused.load(Ordering::Acquire)) {
            thread::sleep(Duration::from_millis(5));
            continue;
        }
        let mut ready = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ready, look_for_stop), Ok(1..)) {
            continue;
        }
        // An end that is down takes nothing, as a NIC without a cable.
        if let Ok(len) = from.read(&mut frame) {
            let _ = to.write(&frame[..len]);
        }
    }
}
