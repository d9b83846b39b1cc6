//! The generic netlink family `netdev` (`Documentation/netlink/specs/netdev.yaml`), of which one question is
//! asked: what of XDP an interface can do.

use std::io;

use futures_util::{StreamExt, pin_mut};
use genetlink::{GenetlinkError, GenetlinkHandle};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Emitable, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, Nla,
    NlasIterator, Parseable, ParseableParametrized,
};

/// `NETDEV_CMD_DEV_GET`.
const COMMAND: u8 = 1;
/// `NETDEV_FAMILY_VERSION`.
const VERSION: u8 = 1;
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
    let question = Dev(vec![DefaultNla::new(IFINDEX, index.to_ne_bytes().to_vec())]);
    let mut message = NetlinkMessage::from(GenlMessage::from_payload(question));
    message.header.flags = NLM_F_REQUEST;
    let replies = match handle.clone().request(message).await {
        Ok(replies) => replies,
        // There is no such family.
        Err(GenetlinkError::NetlinkError(_)) => return Ok(None),
        Err(error) => return Err(io::Error::other(error)),
    };
    pin_mut!(replies);
    while let Some(reply) = replies.next().await {
        match reply.map_err(io::Error::other)?.payload {
            NetlinkPayload::InnerMessage(message) => return Ok(message.payload.features()),
            NetlinkPayload::Error(refusal) => return Err(refusal.to_io()),
            _ => {}
        }
    }
    Ok(None)
}

/// A message about an interface, by its attributes.
#[derive(Clone, Debug)]
struct Dev(Vec<DefaultNla>);

impl Dev {
    fn features(&self) -> Option<XdpFeatures> {
        let found = self
            .0
            .iter()
            .find(|attribute| attribute.kind() == XDP_FEATURES)?;
        let mut value = vec![0; found.value_len()];
        found.emit_value(&mut value);
        let bits = value.as_slice().try_into().ok().map(u64::from_ne_bytes)?;
        Some(XdpFeatures::from_bits(bits))
    }
}

impl GenlFamily for Dev {
    fn family_name() -> &'static str {
        "netdev"
    }

    fn command(&self) -> u8 {
        COMMAND
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Dev {
    fn buffer_len(&self) -> usize {
        self.0.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.0.as_slice().emit(buffer);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Dev {
    fn parse_with_param(octets: &[u8], _: GenlHeader) -> Result<Self, DecodeError> {
        let attributes = NlasIterator::new(octets).map(|attribute| DefaultNla::parse(&attribute?));
        attributes.collect::<Result<_, _>>().map(Self)
    }
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
        let header = GenlHeader {
            cmd: COMMAND,
            version: VERSION,
        };
        let dev = Dev::parse_with_param(&octets, header).unwrap();
        let all = XdpFeatures {
            basic: true,
            redirect: true,
            transmit: true,
            fragments: true,
            transmit_fragments: true,
        };
        assert_eq!(dev.features(), Some(all));
        let none = Dev::parse_with_param(&octets[..8], header).unwrap();
        assert_eq!(none.features(), None);
        assert_eq!(XdpFeatures::from_bits(0), XdpFeatures::default());
    }
}
