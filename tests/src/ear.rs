//! What a node sends, heard where its cable enters the switch.

use std::{
    io::{ErrorKind, Read},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::Socket;

use crate::{lab::Lab, sys};

/// Octets of a frame that are kept: all headers.
const FRAME_LEN: usize = 256;
/// Octets of memory for frames that nobody has fetched yet.
const MEMORY: usize = 8 << 20;
/// How long a frame is on its way at most, on a busy machine.
const ON_THE_WAY: Duration = Duration::from_millis(300);

/// A listener at a node's port.
#[derive(Debug)]
pub struct Ear {
    socket: Socket,
}

impl Ear {
    /// Listens to what the node with this index sends from now on.
    ///
    /// # Errors
    ///
    /// When there is no socket to be had.
    pub fn at(lab: &Lab, node: u8) -> Result<Self> {
        let ifindex = lab.switch().ifindex(lab.node(node).name())?;
        let socket = lab
            .switch()
            .run(|| Ok(sys::packet_socket(libc::ETH_P_ALL as u16, ifindex)?))?;
        setsockopt(&socket, sockopt::RcvBufForce, &MEMORY)?;
        Ok(Self { socket })
    }

    /// The frames that have come since the last call, those that are on the way now included.
    ///
    /// # Errors
    ///
    /// The kernel's.
    ///
    /// # Panics
    ///
    /// When there was no memory for some.
    pub fn heard(&self) -> Result<Vec<Vec<u8>>> {
        sleep(ON_THE_WAY);
        let mut frames = Vec::new();
        let mut buffer = [0; FRAME_LEN];
        loop {
            match (&self.socket).read(&mut buffer) {
                Ok(len) => frames.push(buffer[..len].to_vec()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("hearing a frame"),
            }
        }
        assert_eq!(sys::packet_drops(&self.socket)?, 0, "frames were not heard");
        Ok(frames)
    }
}
