//! Advertisements whose octets were reckoned elsewhere, and the means to spoil them.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
};

use ha_core::vrrp::{
    Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Context, Version,
};

pub(crate) const VRID: NonZeroU8 = match NonZeroU8::new(51) {
    Some(vrid) => vrid,
    None => panic!("51 is not zero"),
};

pub(crate) const V4: Carrier = Carrier::V4 {
    source: Ipv4Addr::new(10, 77, 0, 1),
    destination: Ipv4Addr::new(224, 0, 0, 18),
};

pub(crate) const V6: Carrier = Carrier::V6 {
    source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
    destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
};

/// Version 3, type 1, router 51, priority 200, one address, 100 cs, checksum, 192.0.2.10.
pub(crate) const MESSAGE4: [u8; 12] = [0x31, 51, 200, 1, 0x00, 100, 0x44, 0x5c, 192, 0, 2, 10];
pub(crate) const PSEUDO4: [u8; 2] = [0x59, 0x7f];

pub(crate) const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x5100);
pub(crate) const GLOBAL: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 1, 1);

pub(crate) const fn context(carrier: Carrier) -> Context<'static> {
    Context {
        carrier,
        hop_limit: 255,
        vrids: &[VRID],
        version: Version::V3,
        advert_interval: Centiseconds::DEFAULT,
        checksum4: None,
    }
}

pub(crate) fn advertisement(addresses: Addresses) -> Advertisement {
    Advertisement {
        version: Version::V3,
        vrid: VRID,
        priority: 200,
        max_advert_interval: Centiseconds::DEFAULT,
        addresses,
    }
}

pub(crate) fn advertisement4() -> Advertisement {
    advertisement(Addresses::V4(vec![Ipv4Addr::new(192, 0, 2, 10)]))
}

pub(crate) fn advertisement6() -> Advertisement {
    advertisement(Addresses::V6(vec![LINK_LOCAL, GLOBAL]))
}

pub(crate) fn message6() -> Vec<u8> {
    let encoded = advertisement6().encode(V6, ChecksumV4::Message);
    encoded.expect("it can be encoded")
}

/// Changes octets and makes the checksum right again, by RFC 1624.
pub(crate) fn forge(message: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut forged = message.to_vec();
    for &(at, octet) in changes {
        let word = at & !1;
        let before = u16::from_be_bytes([forged[word], forged[word + 1]]);
        forged[at] = octet;
        let after = u16::from_be_bytes([forged[word], forged[word + 1]]);
        let sum = u32::from(!u16::from_be_bytes([forged[6], forged[7]]))
            + u32::from(!before)
            + u32::from(after);
        let folded = (sum >> 16) + (sum & 0xffff);
        let folded = (folded >> 16) + (folded & 0xffff);
        let checksum = !(folded as u16);
        forged[6..8].copy_from_slice(&checksum.to_be_bytes());
    }
    forged
}
