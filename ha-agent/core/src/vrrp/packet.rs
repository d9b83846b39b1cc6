//! Advertisements to octets and back (RFC 9568 sections 5 and 7.1).

use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
};

use ha_common::wire::vrrp::{self, Header};

use super::{
    checksum::Sum,
    error::{Discard, Unencodable},
    timers::Centiseconds,
};

/// The virtual addresses in an advertisement, all of the family that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Carried over IPv4.
    V4(Vec<Ipv4Addr>),
    /// Carried over IPv6; the first one is link-local (RFC 9568 section 5.2.9).
    V6(Vec<Ipv6Addr>),
}

impl Addresses {
    /// Most IPv4 addresses in an advertisement: the count has eight bits.
    pub const MAX_V4: usize = u8::MAX as usize;
    /// Most IPv6 addresses in an advertisement that fits an Ethernet frame of 1500 octets.
    pub const MAX_V6: usize = (1500 - 40 - Header::LEN) / 16;

    fn is_empty(&self) -> bool {
        match self {
            Self::V4(addresses) => addresses.is_empty(),
            Self::V6(addresses) => addresses.is_empty(),
        }
    }
}

/// What an Active router, or one that lets go, tells its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// Virtual router id.
    pub vrid: NonZeroU8,
    /// The sender's priority; 0 lets go, 255 owns the addresses.
    pub priority: u8,
    /// How often the sender advertises.
    pub max_advert_interval: Centiseconds,
    /// Virtual addresses, not necessarily all.
    pub addresses: Addresses,
}

/// The IP addresses of the packet that carries an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// IPv4.
    V4 {
        /// The sender's primary address.
        source: Ipv4Addr,
        /// 224.0.0.18, or one peer.
        destination: Ipv4Addr,
    },
    /// IPv6.
    V6 {
        /// The sender's link-local address.
        source: Ipv6Addr,
        /// `ff02::12`, or one peer.
        destination: Ipv6Addr,
    },
}

impl Carrier {
    /// The sender's address.
    #[must_use]
    pub const fn source(self) -> IpAddr {
        match self {
            Self::V4 { source, .. } => IpAddr::V4(source),
            Self::V6 { source, .. } => IpAddr::V6(source),
        }
    }

    const fn address_len(self) -> usize {
        match self {
            Self::V4 { .. } => 4,
            Self::V6 { .. } => 16,
        }
    }
}

/// What the checksum of an advertisement over IPv4 covers. Over IPv6 there is no choice: it always
/// covers the pseudo-header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChecksumV4 {
    /// The message alone, as RFC 9568 section 5.2.8 says.
    #[default]
    Message,
    /// A pseudo-header too, as keepalived and FRR read RFC 5798.
    PseudoHeader,
}

/// What the receiver knows beside the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context<'a> {
    /// Addresses of the IP header.
    pub carrier: Carrier,
    /// TTL or hop limit of the IP header.
    pub hop_limit: u8,
    /// Virtual routers configured on the receiving interface.
    pub vrids: &'a [NonZeroU8],
    /// Which checksum to demand over IPv4; `None` takes either.
    pub checksum4: Option<ChecksumV4>,
}

impl Advertisement {
    /// The octets of the message, checksum included; IP header excluded.
    ///
    /// # Errors
    /// [`Unencodable`] if a receiver would have to discard it.
    pub fn encode(&self, carrier: Carrier, kind: ChecksumV4) -> Result<Vec<u8>, Unencodable> {
        let (count, max) = match (carrier, &self.addresses) {
            (Carrier::V4 { .. }, Addresses::V4(v4)) => (v4.len(), Addresses::MAX_V4),
            (Carrier::V6 { .. }, Addresses::V6(v6)) => (v6.len(), Addresses::MAX_V6),
            (Carrier::V4 { .. }, Addresses::V6(_)) | (Carrier::V6 { .. }, Addresses::V4(_)) => {
                return Err(Unencodable::Family);
            }
        };
        let address_count = match u8::try_from(count) {
            Ok(0) => return Err(Unencodable::NoAddresses),
            Ok(fits) if count <= max => fits,
            Ok(_) | Err(_) => return Err(Unencodable::TooManyAddresses { count, max }),
        };
        let header = Header {
            version_type: vrrp::VERSION_TYPE,
            vrid: self.vrid.get(),
            priority: self.priority,
            address_count,
            max_advert_interval: self.max_advert_interval.get().to_be_bytes(),
            checksum: [0; 2],
        };
        let mut message = Vec::with_capacity(Header::LEN + count * carrier.address_len());
        message.extend_from_slice(&header.to_bytes());
        match &self.addresses {
            Addresses::V4(v4) => message.extend(v4.iter().flat_map(Ipv4Addr::octets)),
            Addresses::V6(v6) => {
                if let Some(&found) = v6.first().filter(|first| !first.is_unicast_link_local()) {
                    return Err(Unencodable::FirstNotLinkLocal { found });
                }
                message.extend(v6.iter().flat_map(Ipv6Addr::octets));
            }
        }
        let checksum = sum(&message, carrier, kind).checksum();
        message[vrrp::OFFSET_CHECKSUM..Header::LEN].copy_from_slice(&checksum);
        Ok(message)
    }

    /// The advertisement in `message`, which is the payload of the IP packet.
    ///
    /// # Errors
    /// [`Discard`] names the first rule that the packet breaks.
    pub fn decode(message: &[u8], context: &Context<'_>) -> Result<Self, Discard> {
        let carrier = context.carrier;
        if context.hop_limit != vrrp::HOP_LIMIT {
            let found = context.hop_limit;
            return Err(Discard::HopLimit { found });
        }
        let Some((fixed, _)) = message.split_first_chunk() else {
            let (len, needed) = (message.len(), Header::LEN + carrier.address_len());
            return Err(Discard::Incomplete { len, needed });
        };
        let header = Header::from_bytes(*fixed);
        if header.version() != vrrp::VERSION {
            let found = header.version();
            return Err(Discard::Version { found });
        }
        if header.packet_type() != vrrp::TYPE_ADVERTISEMENT {
            let found = header.packet_type();
            return Err(Discard::Type { found });
        }
        let needed = Header::LEN + usize::from(header.address_count) * carrier.address_len();
        let Some(message) = message.get(..needed) else {
            let len = message.len();
            return Err(Discard::Incomplete { len, needed });
        };
        if !is_intact(message, carrier, context.checksum4) {
            return Err(Discard::Checksum);
        }
        let Some(vrid) = NonZeroU8::new(header.vrid).filter(|vrid| context.vrids.contains(vrid))
        else {
            let vrid = header.vrid;
            return Err(Discard::UnknownVrid { vrid });
        };
        let addresses = addresses(&message[Header::LEN..], carrier);
        if addresses.is_empty() {
            return Err(Discard::NoAddresses);
        }
        if let Addresses::V6(v6) = &addresses
            && let Some(&found) = v6.first().filter(|first| !first.is_unicast_link_local())
        {
            return Err(Discard::FirstNotLinkLocal { found });
        }
        let Some(max_advert_interval) = Centiseconds::new(header.interval_centiseconds()) else {
            return Err(Discard::ZeroInterval);
        };
        Ok(Self {
            vrid,
            priority: header.priority,
            max_advert_interval,
            addresses,
        })
    }
}

fn sum(message: &[u8], carrier: Carrier, kind: ChecksumV4) -> Sum {
    let sum = Sum::default().add(message);
    match (carrier, kind) {
        (Carrier::V4 { .. }, ChecksumV4::Message) => sum,
        (
            Carrier::V4 {
                source,
                destination,
            },
            ChecksumV4::PseudoHeader,
        ) => sum.pseudo4(source, destination, message.len()),
        (
            Carrier::V6 {
                source,
                destination,
            },
            ChecksumV4::Message | ChecksumV4::PseudoHeader,
        ) => sum.pseudo6(source, destination, message.len()),
    }
}

fn is_intact(message: &[u8], carrier: Carrier, demanded: Option<ChecksumV4>) -> bool {
    match demanded {
        Some(kind) => sum(message, carrier, kind).is_valid(),
        None => [ChecksumV4::Message, ChecksumV4::PseudoHeader]
            .into_iter()
            .any(|kind| sum(message, carrier, kind).is_valid()),
    }
}

fn addresses(octets: &[u8], carrier: Carrier) -> Addresses {
    match carrier {
        Carrier::V4 { .. } => Addresses::V4(
            octets
                .as_chunks()
                .0
                .iter()
                .map(|&a: &[u8; 4]| a.into())
                .collect(),
        ),
        Carrier::V6 { .. } => Addresses::V6(
            octets
                .as_chunks()
                .0
                .iter()
                .map(|&a: &[u8; 16]| a.into())
                .collect(),
        ),
    }
}
