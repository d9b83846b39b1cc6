//! Records in the `ha_event` ring.

use super::{Mac, Vlan};

/// What an [`Event`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EventKind {
    /// The lease lapsed: the node is fenced.
    LeaseLapsed = 1,
    /// The kernel demoted a group because of a winning advertisement.
    Demoted = 2,
    /// Another MAC claims a virtual IP that this node has.
    ConflictingOwner = 3,
    /// A sender still uses this node although it is not Active.
    StaleSender = 4,
    /// What this node has to deliver came by way of a node that is not Active, or to the NIC's MAC
    /// instead of the virtual one: somebody has not heard yet who has the group.
    Detour = 5,
    /// A watched process ended, or at least its first thread: see [`Event::process`].
    ProcessExit = 6,
    /// A peer said that it does not hear this node and takes over: the kernel fenced the node.
    Unheard = 7,
}

impl EventKind {
    /// The kind behind a number in a record.
    #[must_use]
    pub const fn from_u32(raw: u32) -> Option<Self> {
        match raw {
            1 => Some(Self::LeaseLapsed),
            2 => Some(Self::Demoted),
            3 => Some(Self::ConflictingOwner),
            4 => Some(Self::StaleSender),
            5 => Some(Self::Detour),
            6 => Some(Self::ProcessExit),
            7 => Some(Self::Unheard),
            _ => None,
        }
    }
}

/// Record in the `ha_event` ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Event {
    /// `CLOCK_MONOTONIC`, nanoseconds.
    pub time_ns: u64,
    /// An [`EventKind`].
    pub kind: u32,
    /// The group, or `u32::MAX` for the node.
    pub group: u32,
    /// Where the frame came in, 0 if none did.
    pub ifindex: u32,
    /// VLAN tags of the frame.
    pub vlan: Vlan,
    /// The virtual IP concerned, v4 as v4-mapped v6; for [`EventKind::Detour`] and
    /// [`EventKind::StaleSender`] the packet's sender, who is to be told; for [`EventKind::Demoted`] who advertised.
    pub addr: [u8; 16],
    /// The other party's MAC.
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
}

impl Event {
    /// The number of the process in [`Self::addr`] of an [`EventKind::ProcessExit`].
    #[must_use]
    pub const fn process(&self) -> u32 {
        let [a, b, c, d, ..] = self.addr;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Octets of a record.
    pub const LEN: usize = size_of::<Self>();

    /// The record behind its octets in the ring.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut rest = bytes.as_slice();
        Self {
            time_ns: u64::from_ne_bytes(take(&mut rest)),
            kind: u32::from_ne_bytes(take(&mut rest)),
            group: u32::from_ne_bytes(take(&mut rest)),
            ifindex: u32::from_ne_bytes(take(&mut rest)),
            vlan: Vlan {
                outer: u16::from_ne_bytes(take(&mut rest)),
                inner: u16::from_ne_bytes(take(&mut rest)),
            },
            addr: take(&mut rest),
            mac: Mac(take(&mut rest)),
            pad: take(&mut rest),
        }
    }
}

/// The next `N` octets of a record, which is as long as its fields together.
fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (head, tail) = rest
        .split_first_chunk()
        .expect("fields sum up to the record");
    *rest = tail;
    *head
}

#[cfg(test)]
mod tests {
    use super::{Event, EventKind, Mac, Vlan};

    #[test]
    fn event_is_its_octets() {
        let mut bytes = [0; Event::LEN];
        bytes[..8].copy_from_slice(&7u64.to_ne_bytes());
        bytes[8..12].copy_from_slice(&(EventKind::StaleSender as u32).to_ne_bytes());
        bytes[12..16].copy_from_slice(&3u32.to_ne_bytes());
        bytes[16..20].copy_from_slice(&2u32.to_ne_bytes());
        bytes[20..22].copy_from_slice(&100u16.to_ne_bytes());
        bytes[22..24].copy_from_slice(&200u16.to_ne_bytes());
        bytes[24..40].copy_from_slice(&[0xfd; 16]);
        bytes[40..46].copy_from_slice(&[2; 6]);
        let event = Event::from_bytes(&bytes);
        assert_eq!(
            event,
            Event {
                time_ns: 7,
                kind: EventKind::StaleSender as u32,
                group: 3,
                ifindex: 2,
                vlan: Vlan {
                    outer: 100,
                    inner: 200,
                },
                addr: [0xfd; 16],
                mac: Mac([2; 6]),
                pad: [0; 2],
            }
        );
        assert_eq!(
            EventKind::from_u32(event.kind),
            Some(EventKind::StaleSender)
        );
    }
}
