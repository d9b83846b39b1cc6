//! What takes VLAN tags out of frames before XDP, and how it is turned off (`Documentation/networking/ethtool-netlink.rst`,
//! FEATURES_SET).

use std::io;

use genetlink::GenetlinkHandle;
use rtnetlink::packet_core::{DefaultNla, Emitable};

use super::message::{self, Command};

/// An offload that takes a tag off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strip {
    /// What the kernel calls it.
    pub feature: &'static str,
    /// What `ethtool -K` calls it.
    pub called: &'static str,
}

/// Those for one tag, and then for the outer one of two, which may be a service tag (IEEE 802.1ad).
pub const STRIPS: [Strip; 2] = [
    Strip {
        feature: "rx-vlan-hw-parse",
        called: "rxvlan",
    },
    Strip {
        feature: "rx-vlan-stag-hw-parse",
        called: "rx-vlan-stag-hw-parse",
    },
];

/// `ETHTOOL_MSG_FEATURES_SET`.
#[derive(Clone, Copy, Debug)]
struct FeaturesSet;

impl Command for FeaturesSet {
    const FAMILY: &'static str = "ethtool";
    /// `ETHTOOL_GENL_VERSION`.
    const VERSION: u8 = 1;
    const COMMAND: u8 = 12;
}

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
/// `ETHTOOL_A_FEATURES_HEADER`.
const HEADER: u16 = 1;
/// `ETHTOOL_A_HEADER_DEV_NAME`.
const DEV_NAME: u16 = 2;
/// `ETHTOOL_A_FEATURES_WANTED`.
const WANTED: u16 = 3;
/// `ETHTOOL_A_BITSET_BITS`.
const BITS: u16 = 3;
/// `ETHTOOL_A_BITSET_BITS_BIT`.
const BIT: u16 = 1;
/// `ETHTOOL_A_BITSET_BIT_NAME`.
const BIT_NAME: u16 = 2;

pub(super) async fn turn_off(
    handle: &GenetlinkHandle,
    name: &str,
    feature: &str,
) -> io::Result<()> {
    let answer = message::ask::<FeaturesSet>(handle, question(name, feature)).await?;
    match answer {
        Some(_) => Ok(()),
        None => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A bit that is named without a value is to be off; those that are not named stay.
fn question(name: &str, feature: &str) -> Vec<DefaultNla> {
    let bit = nested(BIT, text(BIT_NAME, feature));
    vec![
        nested(HEADER, text(DEV_NAME, name)),
        nested(WANTED, nested(BITS, bit)),
    ]
}

fn text(kind: u16, text: &str) -> DefaultNla {
    DefaultNla::new(kind, [text.as_bytes(), &[0]].concat())
}

fn nested(kind: u16, inner: DefaultNla) -> DefaultNla {
    let inner = [inner];
    let mut octets = vec![0; inner.as_slice().buffer_len()];
    inner.as_slice().emit(&mut octets);
    DefaultNla::new(kind | NESTED, octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_named_and_has_no_value() {
        let question = question("eth0", "rx");
        let mut octets = vec![0; question.as_slice().buffer_len()];
        question.as_slice().emit(&mut octets);
        let expected: &[u8] = &[
            16, 0, 1, 0x80, // the header
            9, 0, 2, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0, // which interface
            20, 0, 3, 0x80, // wanted
            16, 0, 3, 0x80, // bits
            12, 0, 1, 0x80, // a bit
            7, 0, 2, 0, b'r', b'x', 0, 0,
        ];
        assert_eq!(octets, expected);
    }
}
