//! The calls that no safe wrapper has: packet socket options, addresses and control messages.

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsRawFd, BorrowedFd},
};

use ha_common::wire::eth::VLAN_ID_MASK;
use socket2::Socket;
use tokio::io::unix::AsyncFd;

use super::Received;

/// Room for one `struct tpacket_auxdata` with its header.
const CONTROL_LEN: usize = 64;

/// A control buffer with the alignment of `struct cmsghdr`.
#[repr(align(8))]
struct Control([u8; CONTROL_LEN]);

/// Registers the socket with the current tokio runtime.
pub(in crate::net) fn watch(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: `Socket` owns its descriptor, which stays the same one and open until it is dropped.
    Ok(unsafe { AsyncFd::register(socket) }?)
}

/// Starts to receive all protocols on the interface `index`.
pub(in crate::net) fn bind(socket: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    // SAFETY: all zeros is a value of this plain C struct.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = i32::try_from(index).map_err(io::Error::other)?;
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the address is a whole `sockaddr_ll` of `len` octets and outlives the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), len) })
}

/// Has the kernel say which tag it took off a frame (`PACKET_AUXDATA`).
pub(super) fn deliver_vlan_tags(socket: BorrowedFd<'_>) -> io::Result<()> {
    switch_on(socket, libc::PACKET_AUXDATA)
}

/// Leaves out frames that this host sends (`PACKET_IGNORE_OUTGOING`, Linux 4.20).
pub(in crate::net) fn ignore_outgoing(socket: BorrowedFd<'_>) -> io::Result<()> {
    switch_on(socket, libc::PACKET_IGNORE_OUTGOING)
}

fn switch_on(socket: BorrowedFd<'_>, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let len = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the value is a whole `int` of `len` octets and outlives the call.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const on).cast(),
            len,
        )
    })
}

/// Whether a frame or an error is waiting.
pub(super) fn has_next(socket: BorrowedFd<'_>) -> bool {
    let mut octet = 0_u8;
    // SAFETY: the buffer of one octet outlives the call.
    let peeked = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            (&raw mut octet).cast(),
            1,
            libc::MSG_PEEK | libc::MSG_DONTWAIT,
        )
    };
    peeked >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::WouldBlock
}

/// Receives one frame without waiting.
pub(super) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = Control([0; CONTROL_LEN]);
    let mut slice = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    // SAFETY: all zeros is a value of this plain C struct.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = CONTROL_LEN;
    // SAFETY: the message points at buffers of the lengths it names, which outlive the call.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    Ok(Received {
        len,
        outer_vlan: outer_vlan(&message),
    })
}

fn outer_vlan(message: &libc::msghdr) -> u16 {
    // SAFETY: the kernel filled in the control buffer that `message` points at, and its length.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(message) };
    while !header.is_null() {
        // SAFETY: a header that the macros return lies whole and aligned inside the control buffer.
        let found = unsafe { ((*header).cmsg_level, (*header).cmsg_type) };
        if found == (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
            // SAFETY: the data of this kind of message is a `tpacket_auxdata`; it may be unaligned.
            let data: libc::tpacket_auxdata = unsafe {
                libc::CMSG_DATA(header)
                    .cast::<libc::tpacket_auxdata>()
                    .read_unaligned()
            };
            return match data.tp_status & libc::TP_STATUS_VLAN_VALID {
                0 => 0,
                _ => data.tp_vlan_tci & VLAN_ID_MASK,
            };
        }
        // SAFETY: as above, `header` is inside the control buffer of `message`.
        header = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    0
}

fn check(result: libc::c_int) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
