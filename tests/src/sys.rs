//! The calls that need `unsafe`, in one place; the rest of the lab is safe code.
#![expect(
    unsafe_code,
    reason = "system calls for which there is no safe wrapper"
)]

use std::{
    fs::File,
    io,
    mem::{size_of, zeroed},
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use nix::{
    sched::{CloneFlags, setns},
    sys::{prctl, signal::Signal},
};
use socket2::Socket;

/// Makes the program run in the network namespace behind `namespace`, and die with the thread that
/// started it.
///
/// The second is why a lab leaves no process behind, however its own process ends. It is bound to the
/// *thread*: start long-lived programs from a thread that lives as long as they should.
pub(crate) fn enter_before_exec(command: &mut Command, namespace: File) {
    let before_exec = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        setns(&namespace, CloneFlags::CLONE_NEWNET)?;
        Ok(())
    };
    // SAFETY: the closure runs between fork and exec and makes two system calls; it neither
    // allocates nor takes a lock.
    unsafe { command.pre_exec(before_exec) };
}

/// Makes the program die with the thread that started it.
pub(crate) fn die_with_parent(command: &mut Command) {
    // SAFETY: as above, with one system call.
    unsafe { command.pre_exec(|| Ok(prctl::set_pdeathsig(Signal::SIGKILL)?)) };
}

/// Gives the calling thread a real-time priority, so that load on the machine does not show up as
/// loss. Returns whether the kernel allowed it.
#[must_use]
pub(crate) fn become_real_time() -> bool {
    let parameters = libc::sched_param { sched_priority: 10 };
    // SAFETY: the pointer is to a live, initialised structure; 0 means the calling thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) == 0 }
}

/// A raw packet socket in the calling thread's network namespace.
///
/// It receives frames of `protocol` (an EtherType, or `ETH_P_ALL`) that arrive at the interface with
/// this index, and sends whole frames out of it.
///
/// # Errors
///
/// What `socket`, `bind` and `setsockopt` return; `EPERM` without `CAP_NET_RAW`.
pub(crate) fn packet_socket(protocol: u16, ifindex: u32) -> io::Result<Socket> {
    // Protocol 0 receives nothing: what arrives before the socket is bound to the interface is not
    // ours.
    // SAFETY: plain system call; the descriptor is owned by nobody else.
    let socket = unsafe {
        let fd = libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK,
            0,
        );
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Socket::from(OwnedFd::from_raw_fd(fd))
    };
    set_packet_option(&socket, libc::PACKET_IGNORE_OUTGOING, 1)?;

    // SAFETY: all zeros is a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = ifindex.cast_signed();
    // SAFETY: the pointer and the length describe `address`.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if bound < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

/// Frames that a packet socket had no room for since the last call.
///
/// # Errors
///
/// What `getsockopt` returns.
pub(crate) fn packet_drops(socket: &Socket) -> io::Result<u32> {
    // SAFETY: all zeros is a valid `tpacket_stats`.
    let mut stats: libc::tpacket_stats = unsafe { zeroed() };
    let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: the pointer and the length describe `stats`.
    let read = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut stats).cast(),
            &raw mut length,
        )
    };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(stats.tp_drops)
}

fn set_packet_option(socket: &Socket, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the pointer and the length describe `value`.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if set < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A queue of the tap `name` in the calling thread's network namespace, made if it is not there. Frames carry the
/// header of virtio networks, and may lack their checksum or be too long for the wire, as guests are used to.
///
/// # Errors
///
/// The kernel's, and when there is no `/dev/net/tun`.
pub(crate) fn open_tap(name: &str) -> io::Result<File> {
    let tap = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")?;
    let mut request = [0_u8; size_of::<libc::ifreq>()];
    let octets = name.as_bytes();
    if octets.len() >= libc::IFNAMSIZ {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    request[..octets.len()].copy_from_slice(octets);
    let flags = (libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as u16;
    request[libc::IFNAMSIZ..libc::IFNAMSIZ + 2].copy_from_slice(&flags.to_ne_bytes());
    // SAFETY: the kernel reads and writes an `ifreq`, and there are as many octets.
    let set = unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
    if set < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(tap)
}

/// Says what the reader of a tap or macvtap does for the sender: make checksums and cut up TCP segments, or
/// nothing.
///
/// # Errors
///
/// The kernel's.
pub(crate) fn set_tap_offloads(tap: &File, on: bool) -> io::Result<()> {
    /// `TUN_F_CSUM`, `TUN_F_TSO4` and `TUN_F_TSO6`, `include/uapi/linux/if_tun.h`.
    const ALL: libc::c_ulong = 1 | 2 | 4;
    let offloads = if on { ALL } else { 0 };
    // SAFETY: the argument is a number.
    let set = unsafe { libc::ioctl(tap.as_raw_fd(), libc::TUNSETOFFLOAD, offloads) };
    if set < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Calls bpf(2) with `attributes`, for a command that returns a descriptor.
pub(crate) fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the kernel reads the attributes, whose size it is told, and what they point at, which
    // lives as long as they do.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    let number = i32::try_from(result).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made the descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// A descriptor as bpf(2) takes it.
pub(crate) fn number(descriptor: &OwnedFd) -> u32 {
    descriptor.as_raw_fd().cast_unsigned()
}
