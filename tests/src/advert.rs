//! Waiting for a VRRP advertisement.
//!
//! How long a silent node goes unnoticed depends on when in its advertisement interval it fell silent.
//! Faults that are injected right after an advertisement all meet the same, worst, moment, and
//! can be compared.

use std::{io, net::IpAddr, time::Duration};

use anyhow::{Context, Result};
use socket2::{SockFilter, Socket};

use crate::{lab::Lab, sys};

/// Waits until the node sends an advertisement in the family of `vip`.
///
/// # Errors
///
/// When it sends none within a second.
pub(crate) fn wait_for(lab: &Lab, node: u8, vip: IpAddr) -> Result<()> {
    let name = lab.node(node).name();
    let ifindex = lab.switch().ifindex(name)?;
    let socket = lab.switch().run(|| Ok(listen(ifindex, vip)?))?;
    let mut buffer = [std::mem::MaybeUninit::uninit(); 128];
    socket
        .recv(&mut buffer)
        .with_context(|| format!("node {name} advertised nothing within a second"))?;
    Ok(())
}

fn listen(ifindex: u32, vip: IpAddr) -> io::Result<Socket> {
    let socket = sys::packet_socket(libc::ETH_P_ALL as u16, ifindex)?;
    socket.attach_filter(&advertisements(vip))?;
    // What came in before the filter was there.
    let mut buffer = [std::mem::MaybeUninit::uninit(); 128];
    while socket.recv(&mut buffer).is_ok() {}
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    Ok(socket)
}

fn advertisements(vip: IpAddr) -> [SockFilter; 6] {
    const LOAD_HALF: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
    const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    const ETHERTYPE: u32 = 12;
    const IP: u32 = 14;
    /// RFC 9568 sections 5.1.1.4 and 5.1.2.4.
    const VRRP: u32 = 112;
    let (ethertype, protocol) = match vip {
        IpAddr::V4(_) => (libc::ETH_P_IP, IP + 9),
        IpAddr::V6(_) => (libc::ETH_P_IPV6, IP + 6),
    };
    [
        SockFilter::new(LOAD_HALF, 0, 0, ETHERTYPE),
        SockFilter::new(IF_EQUAL, 0, 3, ethertype as u32),
        SockFilter::new(LOAD_BYTE, 0, 0, protocol),
        SockFilter::new(IF_EQUAL, 0, 1, VRRP),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}
