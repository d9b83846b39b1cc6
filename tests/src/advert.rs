//! Waiting for a VRRP advertisement.
//!
//! How long a silent node goes unnoticed depends on when in its advertisement interval it fell silent.
//! Faults that are injected right after an advertisement all meet the same, worst, moment, and
//! can be compared.

use std::{io, net::IpAddr, time::Duration};

use anyhow::{Context, Result};
use socket2::{SockFilter, Socket};

use crate::{
    filter::{ACCEPT, ETHERTYPE, PAYLOAD, REJECT, byte, equal, half},
    lab::Lab,
    sys,
};

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

const fn advertisements(vip: IpAddr) -> [SockFilter; 6] {
    /// RFC 9568 sections 5.1.1.4 and 5.1.2.4.
    const VRRP: u32 = 112;
    let (ethertype, protocol) = match vip {
        IpAddr::V4(_) => (libc::ETH_P_IP, PAYLOAD + 9),
        IpAddr::V6(_) => (libc::ETH_P_IPV6, PAYLOAD + 6),
    };
    [
        half(ETHERTYPE),
        equal(ethertype as u32, 0, 3),
        byte(protocol),
        equal(VRRP, 0, 1),
        ACCEPT,
        REJECT,
    ]
}
