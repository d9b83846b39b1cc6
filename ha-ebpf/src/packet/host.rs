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
