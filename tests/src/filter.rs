//! Instructions of classic BPF, for what a raw socket is to receive.

use socket2::SockFilter;

/// Offset of the EtherType in a frame.
pub(crate) const ETHERTYPE: u32 = 12;
/// Offset of what follows the Ethernet header.
pub(crate) const PAYLOAD: u32 = 14;

/// Loads the byte at an offset.
pub(crate) const fn byte(offset: u32) -> SockFilter {
    SockFilter::new(
        (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16,
        0,
        0,
        offset,
    )
}

/// Loads the two bytes at an offset.
pub(crate) const fn half(offset: u32) -> SockFilter {
    SockFilter::new(
        (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16,
        0,
        0,
        offset,
    )
}

/// Skips as many instructions as said, depending on whether what was loaded is `value`.
pub(crate) const fn equal(value: u32, skip_if: u8, skip_if_not: u8) -> SockFilter {
    let code = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    SockFilter::new(code, skip_if, skip_if_not, value)
}

/// Ends: the frame is received whole.
pub(crate) const ACCEPT: SockFilter = end(u32::MAX);

/// Ends: of the frame its headers are received.
pub(crate) const HEADERS: SockFilter = end(128);

/// Ends: the frame is not received.
pub(crate) const REJECT: SockFilter = end(0);

const fn end(bytes: u32) -> SockFilter {
    SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, bytes)
}
