//! Delivery targets: where an Active node sends a virtual IP's packets.

use super::{Mac, Vlan};

/// Delivery targets. Slot 0 is the local stack.
pub const MAX_DELIVER: u32 = 1024;

/// [`Deliver::kind`]: the local stack.
pub const DELIVER_LOCAL: u32 = 0;
/// [`Deliver::kind`]: a guest, by the ways that [`Deliver::flags`] names.
pub const DELIVER_GUEST: u32 = 1;

/// [`Deliver::flags`]: frames are redirected to the interface that `ha_dev` has under the same slot.
pub const DELIVER_REDIRECTED: u32 = 1 << 0;
/// [`Deliver::flags`]: that interface also takes frames of several buffers.
pub const DELIVER_BUFFERS: u32 = 1 << 1;
/// [`Deliver::flags`]: what is not redirected reaches the guest by its MAC, through a bridge or macvlan on the
/// group's interface.
pub const DELIVER_BRIDGED: u32 = 1 << 2;
/// [`Deliver::flags`]: what is not redirected reaches the guest by this host's routes.
pub const DELIVER_ROUTED: u32 = 1 << 3;

/// Value of `ha_deliver`: where an Active node sends a virtual IP's packets.
///
/// A guest to which no flag names a way is not there at present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Deliver {
    /// A `DELIVER_*` kind.
    pub kind: u32,
    /// `DELIVER_*` bits.
    pub flags: u32,
    /// Octets of the longest frame that the guest's interface takes, without what the kernel allows for one tag.
    pub max_len: u32,
    /// The interface from which it is delivered.
    pub ifindex: u32,
    /// The tags that the guest expects.
    pub vlan: Vlan,
    /// The guest's MAC.
    pub mac: Mac,
    /// Padding.
    pub pad: [u8; 2],
    /// Name of the guest's interface, padded with zeros: with MAC, tags and `ifindex` the identity of the slot over a
    /// restart.
    pub name: [u8; 16],
}
