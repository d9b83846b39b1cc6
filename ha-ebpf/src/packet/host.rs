//! Packet memory on the host: a vector.

use std::ptr::NonNull;

/// A frame and where it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The frame's octets in pairs, which makes it start at an even address. There is room for
    /// [`TAILROOM`] more.
    pairs: Vec<u16>,
    /// Octets of the frame.
    len: usize,
    /// Octets in the first buffer; the rest of the frame cannot be accessed, as in the kernel.
    linear: usize,
    ifindex: u32,
}

/// How many octets a frame may grow by.
const TAILROOM: usize = 64;

impl Packet {
    /// A frame that came in on `ifindex`, with its first `linear` octets in the first buffer.
    #[must_use]
    pub fn new(frame: &[u8], linear: usize, ifindex: u32) -> Self {
        let mut pairs: Vec<u16> = frame
            .chunks(2)
            .map(|pair| u16::from_ne_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
            .collect();
        pairs.resize(pairs.len() + TAILROOM / 2, 0);
        Self {
            pairs,
            len: frame.len(),
            linear: linear.min(frame.len()),
            ifindex,
        }
    }

    /// The frame as it is now.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let mut frame: Vec<u8> = self
            .pairs
            .iter()
            .flat_map(|pair| pair.to_ne_bytes())
            .collect();
        frame.truncate(self.len);
        frame
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// As the kernel does it: a frame grows in its last buffer, which is not the first one if there
    /// are several (`bpf_xdp_adjust_tail`, `net/core/filter.c`).
    pub(crate) fn resize(&mut self, len: usize) -> bool {
        if len > self.pairs.len() * 2 {
            return false;
        }
        if self.linear == self.len {
            self.linear = len;
        }
        self.linear = self.linear.min(len);
        self.len = len;
        true
    }

    /// As the kernel does it: the first buffer keeps at least an Ethernet header (`bpf_xdp_adjust_head`,
    /// `net/core/filter.c`), and there is room for more tags than a frame can have.
    pub(crate) fn move_start(&mut self, by: i32) -> bool {
        const ETHERNET: usize = 14;
        assert!(by % 2 == 0, "headers start at even offsets");
        let octets = by.unsigned_abs() as usize;
        if by < 0 {
            self.pairs.splice(0..0, vec![0; octets / 2]);
            (self.len, self.linear) = (self.len + octets, self.linear + octets);
            return true;
        }
        if self.linear < octets + ETHERNET {
            return false;
        }
        self.pairs.drain(..octets / 2);
        (self.len, self.linear) = (self.len - octets, self.linear - octets);
        true
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.linear == self.len
    }

    pub(super) fn span(&self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        self.holds(offset, len).then(|| {
            let start = NonNull::from(self.pairs.as_slice()).cast::<u8>();
            // SAFETY: the offset is below `linear`, which is within the vector.
            unsafe { start.add(offset) }
        })
    }

    pub(super) fn span_mut(&mut self, offset: usize, len: usize) -> Option<NonNull<u8>> {
        self.holds(offset, len).then(|| {
            let start = NonNull::from(self.pairs.as_mut_slice()).cast::<u8>();
            // SAFETY: as in `span`.
            unsafe { start.add(offset) }
        })
    }

    fn holds(&self, offset: usize, len: usize) -> bool {
        assert!(offset.is_multiple_of(2), "headers start at even offsets");
        offset
            .checked_add(len)
            .is_some_and(|end| end <= self.linear)
    }
}

#[cfg(test)]
mod tests {
    use ha_common::wire::eth;

    use super::Packet;

    fn frame(len: usize) -> Vec<u8> {
        (0..len).map(|octet| octet as u8).collect()
    }

    #[test]
    fn a_header_is_there_or_not() {
        let octets = frame(17);
        let mut packet = Packet::new(&octets, 17, 1);
        assert_eq!(packet.get::<eth::Header>(2).unwrap().dst.0, octets[2..8]);
        assert!(packet.get::<eth::Header>(4).is_none());
        assert!(packet.get::<eth::Header>(usize::MAX - 1).is_none());
        packet.get_mut::<eth::Tag>(12).unwrap().control = [0xaa, 0xbb];
        assert_eq!(packet.frame()[11..15], [11, 0xaa, 0xbb, 14]);
        assert_eq!(packet.frame().len(), 17);
    }

    #[test]
    fn further_buffers_are_out_of_reach() {
        let mut packet = Packet::new(&frame(60), 14, 1);
        assert!(packet.get::<eth::Header>(0).is_some());
        assert!(packet.get::<eth::Tag>(14).is_none());
        assert!(packet.get_mut::<eth::Tag>(12).is_none());
        assert_eq!(packet.len(), 60);
    }

    #[test]
    fn a_frame_is_resized_at_its_end() {
        let mut packet = Packet::new(&frame(20), 20, 1);
        assert!(packet.resize(23));
        assert_eq!(packet.frame(), [frame(20), vec![0; 3]].concat());
        assert!(packet.resize(16));
        assert_eq!(packet.frame(), frame(16));
        assert!(packet.get::<eth::Tag>(14).is_none());
        assert!(!packet.resize(500));
    }

    #[test]
    fn a_frame_is_moved_at_its_start() {
        let mut packet = Packet::new(&frame(20), 20, 1);
        assert!(packet.move_start(4));
        assert_eq!(packet.frame(), frame(20)[4..]);
        assert!(!packet.move_start(4));
        assert!(packet.move_start(-8));
        assert_eq!(packet.frame().len(), 24);
        assert_eq!(packet.frame()[8..], frame(20)[4..]);
        assert!(packet.is_whole());
        assert!(!Packet::new(&frame(20), 16, 1).is_whole());
    }

    #[test]
    fn several_buffers_grow_in_the_last_one() {
        let mut packet = Packet::new(&frame(20), 16, 1);
        assert!(packet.resize(24));
        assert!(packet.get::<eth::Tag>(16).is_none());
        assert!(packet.resize(14));
        assert!(packet.get::<eth::Tag>(12).is_none());
        assert!(packet.get::<eth::Header>(0).is_some());
    }
}
