//! `ha_event`: what the kernel has to tell.

use std::{os::fd::AsFd, thread};

use anyhow::{Context, Result};
use aya::maps::{Map, MapData, RingBuf};
use ha_common::abi::{Event, Mac, Vlan, map};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
};
use tokio::sync::mpsc;

use super::{PinDir, maps};

/// Records that may wait to be read; beyond that they wait in the ring.
const QUEUE: usize = 64;

/// What the kernel reports, in its order.
#[derive(Debug)]
pub struct Events {
    records: mpsc::Receiver<Event>,
}

impl Events {
    /// Starts to read what is pinned, in a thread of its own.
    ///
    /// # Errors
    /// If it is not there, or there is no thread to be had.
    pub fn open(pins: &PinDir) -> Result<Self> {
        let data = maps::open(pins, map::EVENT)?;
        let ring = RingBuf::try_from(Map::from_map_data(data)?)?;
        let (sender, records) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || {
                if let Err(error) = read(ring, &sender) {
                    tracing::error!("no more events from the kernel: {error:#}");
                }
            })
            .context("cannot start the thread that reads the kernel's events")?;
        Ok(Self { records })
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Event {
        match self.records.recv().await {
            Some(event) => event,
            // The thread has ended and has said why; nothing will ever come.
            None => std::future::pending().await,
        }
    }
}

/// Passes records on until the other end is dropped.
fn read(mut ring: RingBuf<MapData>, sender: &mpsc::Sender<Event>) -> Result<()> {
    loop {
        while let Some(record) = ring.next() {
            let event = parse(&record);
            drop(record);
            if let Some(event) = event
                && sender.blocking_send(event).is_err()
            {
                return Ok(());
            }
        }
        let mut fds = [PollFd::new(ring.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("cannot wait for events"),
        }
    }
}

fn parse(record: &[u8]) -> Option<Event> {
    let (time_ns, rest) = record.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let (group, rest) = rest.split_first_chunk()?;
    let (ifindex, rest) = rest.split_first_chunk()?;
    let (outer, rest) = rest.split_first_chunk()?;
    let (inner, rest) = rest.split_first_chunk()?;
    let (addr, rest) = rest.split_first_chunk()?;
    let (mac, pad) = rest.split_first_chunk()?;
    Some(Event {
        time_ns: u64::from_ne_bytes(*time_ns),
        kind: u32::from_ne_bytes(*kind),
        group: u32::from_ne_bytes(*group),
        ifindex: u32::from_ne_bytes(*ifindex),
        vlan: Vlan {
            outer: u16::from_ne_bytes(*outer),
            inner: u16::from_ne_bytes(*inner),
        },
        addr: *addr,
        mac: Mac(*mac),
        pad: pad.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use ha_common::abi::{EventKind, Mac};

    use super::parse;

    #[test]
    fn a_record_is_read_field_by_field() {
        let mut record = [0; 48];
        record[..8].copy_from_slice(&7_u64.to_ne_bytes());
        record[8..12].copy_from_slice(&3_u32.to_ne_bytes());
        record[12..16].copy_from_slice(&9_u32.to_ne_bytes());
        record[20..22].copy_from_slice(&100_u16.to_ne_bytes());
        record[24] = 0xfd;
        record[40..46].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        let event = parse(&record).unwrap();
        assert_eq!((event.time_ns, event.group), (7, 9));
        assert_eq!(event.kind, EventKind::ConflictingOwner as u32);
        assert_eq!((event.vlan.outer, event.addr[0]), (100, 0xfd));
        assert_eq!(event.mac, Mac([2, 0, 0, 0, 0, 1]));
        assert_eq!(parse(&record[..47]), None);
    }
}
