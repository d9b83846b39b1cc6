//! The socket options that no safe wrapper has.
#![expect(
    unsafe_code,
    reason = "a system call for which there is no safe wrapper"
)]

use std::{
    io,
    mem::size_of,
    os::fd::{AsRawFd, BorrowedFd},
};

/// Has the kernel drop what has a lower TTL or hop limit (`IP_MINTTL`, `IPV6_MINHOPCOUNT`).
pub(super) fn require_hop_limit(socket: BorrowedFd<'_>, is_v4: bool, least: u8) -> io::Result<()> {
    let (level, option) = if is_v4 {
        (libc::IPPROTO_IP, libc::IP_MINTTL)
    } else {
        (libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT)
    };
    set(socket, level, option, libc::c_int::from(least))
}

/// Sends datagrams without a UDP checksum, and takes such (`SO_NO_CHECK`; `UDP_NO_CHECK6_TX` and `_RX`,
/// RFC 6935).
///
/// The kernel leaves checksums to the NIC, and on virtual links nobody makes them before the other's data path
/// sees the frame: it could only repair what is not there yet.
pub(super) fn omit_checksums(socket: BorrowedFd<'_>, is_v4: bool) -> io::Result<()> {
    if is_v4 {
        return set(socket, libc::SOL_SOCKET, libc::SO_NO_CHECK, 1);
    }
    for option in [UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX] {
        set(socket, libc::IPPROTO_UDP, option, 1)?;
    }
    Ok(())
}

/// `include/uapi/linux/udp.h`.
const UDP_NO_CHECK6_TX: libc::c_int = 101;
const UDP_NO_CHECK6_RX: libc::c_int = 102;

fn set(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is a whole `int` of `len` octets and outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            len,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
