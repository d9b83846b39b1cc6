//! The socket buffer on the host: a frame, and a tag beside it.

use std::ptr::NonNull;

use ha_common::wire::eth::VLAN_ID_MASK;

use crate::packet::Packet;

/// A frame that is about to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketBuffer {
    frame: Packet,
    /// What the NIC is to put in as the outer tag: priority and VLAN id.
    tag: Option<u16>,
}

impl SocketBuffer {
    /// A frame with its first `linear` octets in its first part, and `tag` beside it.
    #[must_use]
    pub fn new(frame: &[u8], linear: usize, tag: Option<u16>) -> Self {
        Self {
            frame: Packet::new(frame, linear, 0),
            tag,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }

    pub(crate) fn vlan_id(&self) -> Option<u16> {
        self.tag.map(|control| control & VLAN_ID_MASK)
    }

    pub(super) fn span(&self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        self.frame.span(offset, len)
    }

    /// As the kernel does it: all that is asked for, or nothing.
    pub(super) fn copy(&self, offset: usize, len: usize, to: *mut u8) {
        let frame = self.frame.frame();
        let Some(octets) = offset
            .checked_add(len)
            .and_then(|end| frame.get(offset..end))
        else {
            return;
        };
        // SAFETY: the caller has `len` octets there, of its own.
        unsafe { to.copy_from_nonoverlapping(octets.as_ptr(), len) };
    }
}

#[cfg(test)]
mod tests {
    use ha_common::wire::eth;

    use super::SocketBuffer;

    #[test]
    fn a_header_is_read_wherever_it_lies() {
        let octets: Vec<u8> = (1..=18).collect();
        for linear in 0..=octets.len() {
            let buffer = SocketBuffer::new(&octets, linear, None);
            assert_eq!(buffer.read::<eth::Header>(0).src.0, octets[6..12]);
            assert_eq!(buffer.read::<eth::Tag>(14).ethertype, octets[16..18]);
            assert_eq!(buffer.read::<eth::Tag>(16), eth::Tag::default());
            assert_eq!(buffer.len(), octets.len());
        }
    }

    #[test]
    fn a_tag_beside_the_frame_has_no_priority() {
        let buffer = SocketBuffer::new(&[0; 14], 14, Some(0xf02a));
        assert_eq!(buffer.vlan_id(), Some(42));
        assert_eq!(SocketBuffer::new(&[0; 14], 14, None).vlan_id(), None);
    }
}
