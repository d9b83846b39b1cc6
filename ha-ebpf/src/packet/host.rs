//! Packet memory on the host: a vector.

/// A frame and where it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    frame: Vec<u8>,
    /// Octets in the first buffer; the rest of the frame cannot be accessed, as in the kernel.
    linear: usize,
    ifindex: u32,
}

impl Packet {
    /// A frame that came in on `ifindex`, with its first `linear` octets in the first buffer.
    #[must_use]
    pub fn new(frame: Vec<u8>, linear: usize, ifindex: u32) -> Self {
        let linear = linear.min(frame.len());
        Self {
            frame,
            linear,
            ifindex,
        }
    }

    /// The frame as it is now.
    #[must_use]
    pub fn into_frame(self) -> Vec<u8> {
        self.frame
    }

    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }

    pub(crate) fn ifindex(&self) -> u32 {
        self.ifindex
    }

    /// As the kernel does it: a frame of one buffer has room to grow in it, the last buffer of
    /// several has none (`bpf_xdp_frags_increase_tail`, `net/core/filter.c`).
    pub(crate) fn resize(&mut self, len: usize) -> bool {
        if len > self.frame.len() && self.linear < self.frame.len() {
            return false;
        }
        if self.linear == self.frame.len() {
            self.linear = len;
        }
        self.frame.resize(len, 0);
        self.linear = self.linear.min(len);
        true
    }

    pub(super) fn span(&self, offset: usize, len: usize) -> Option<*const u8> {
        let end = offset.checked_add(len)?;
        Some(self.frame[..self.linear].get(offset..end)?.as_ptr())
    }

    pub(super) fn span_mut(&mut self, offset: usize, len: usize) -> Option<*mut u8> {
        let end = offset.checked_add(len)?;
        Some(self.frame[..self.linear].get_mut(offset..end)?.as_mut_ptr())
    }
}
