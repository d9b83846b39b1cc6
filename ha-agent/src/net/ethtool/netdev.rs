//! The generic netlink family `netdev` (`Documentation/netlink/specs/netdev.yaml`), of which one question is
//! asked: what of XDP an interface can do.

use std::io;

use genetlink::GenetlinkHandle;
use rtnetlink::packet_core::{DefaultNla, Nla};

use super::message::{self, Command};

/// `NETDEV_CMD_DEV_GET`.
#[derive(Clone, Copy, Debug)]
struct DevGet;

impl Command for DevGet {
    const FAMILY: &'static str = "netdev";
    /// `NETDEV_FAMILY_VERSION`.
    const VERSION: u8 = 1;
    const COMMAND: u8 = 1;
}

/// `NETDEV_A_DEV_IFINDEX`.
const IFINDEX: u16 = 1;
/// `NETDEV_A_DEV_XDP_FEATURES`.
const XDP_FEATURES: u16 = 3;

/// What a driver can do with XDP programs, as its interface is set up now (`enum netdev_xdp_act`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XdpFeatures {
    /// Runs programs, and does what they decide: pass, drop, send back.
    pub basic: bool,
    /// Sends frames on to other interfaces.
    pub redirect: bool,
    /// Sends frames that other interfaces send on. Of a veth the other end has to poll for that, which it does while
    /// it has generic receive offload or a program.
    pub transmit: bool,
    /// Runs programs on frames that lie in several buffers.
    pub fragments: bool,
    /// Sends on frames that lie in several buffers.
    pub transmit_fragments: bool,
}

impl XdpFeatures {
    fn from_bits(bits: u64) -> Self {
        let has = |bit: u32| bits & (1 << bit) != 0;
        Self {
            basic: has(0),
            redirect: has(1),
            transmit: has(2),
            fragments: has(5),
            transmit_fragments: has(6),
        }
    }
}

/// Asks for the features of the interface `index`.
pub(super) async fn ask(handle: &GenetlinkHandle, index: u32) -> io::Result<Option<XdpFeatures>> {
    let which = DefaultNla::new(IFINDEX, index.to_ne_bytes().to_vec());
    let answer = message::ask::<DevGet>(handle, vec![which]).await?;
    Ok(answer.and_then(|attributes| features(&attributes)))
}

fn features(attributes: &[DefaultNla]) -> Option<XdpFeatures> {
    let mut attributes = attributes.iter();
    let found = attributes.find(|attribute| attribute.kind() == XDP_FEATURES)?;
    let mut value = vec![0; found.value_len()];
    found.emit_value(&mut value);
    let bits = value.as_slice().try_into().ok().map(u64::from_ne_bytes)?;
    Some(XdpFeatures::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_bits_of_one_attribute() {
        // What the kernel says of a veth whose other end takes what is sent: 0x67.
        let octets = [
            8, 0, 1, 0, 7, 0, 0, 0, // ifindex 7
            12, 0, 3, 0, 0x67, 0, 0, 0, 0, 0, 0, 0,
        ];
        let all = XdpFeatures {
            basic: true,
            redirect: true,
            transmit: true,
            fragments: true,
            transmit_fragments: true,
        };
        let of = |octets: &[u8]| features(&message::parse(octets).unwrap());
        assert_eq!(of(&octets), Some(all));
        assert_eq!(of(&octets[..8]), None);
        assert_eq!(XdpFeatures::from_bits(0), XdpFeatures::default());
    }
}
