//! Advertisements to octets and back (RFC 9568 sections 5 and 7.1; RFC 3768 for version 2).

use core::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
};

use ha_common::wire::vrrp::{self, Header};

use super::{
    checksum::Sum,
    error::{Discard, Unencodable},
    timers::Centiseconds,
    version::Version,
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
    /// Version of the protocol.
    pub version: Version,
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

impl ChecksumV4 {
    /// Which of the two a message of version 3 has; `None` over IPv6, where there is no choice, and if
    /// both fit or neither.
    #[must_use]
    pub fn found_in(message: &[u8], carrier: Carrier) -> Option<Self> {
        let Carrier::V4 { .. } = carrier else {
            return None;
        };
        let (fixed, _) = message.split_first_chunk()?;
        let count = usize::from(Header::from_bytes(*fixed).address_count);
        let message = message.get(..len(Version::V3, carrier, count))?;
        let fits = |kind| sum(message, carrier, kind).is_valid();
        match (fits(Self::Message), fits(Self::PseudoHeader)) {
            (true, false) => Some(Self::Message),
            (false, true) => Some(Self::PseudoHeader),
            (true, true) | (false, false) => None,
        }
    }

    /// Version 2 never covers a pseudo-header (RFC 3768 section 5.3.8).
    const fn of(self, version: Version) -> Self {
        match version {
            Version::V2 => Self::Message,
            Version::V3 => self,
        }
    }
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
    /// The version that the virtual router speaks.
    pub version: Version,
    /// The virtual router's own interval, which only version 2 compares.
    pub advert_interval: Centiseconds,
    /// Which checksum to demand over IPv4; `None` takes either. Version 2 knows only
    /// [`ChecksumV4::Message`].
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
            version_type: self.version.number() << 4 | vrrp::TYPE_ADVERTISEMENT,
            vrid: self.vrid.get(),
            priority: self.priority,
            address_count,
            max_advert_interval: self.interval_octets(carrier)?,
            checksum: [0; 2],
        };
        let mut message = Vec::with_capacity(len(self.version, carrier, count));
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
        message.extend_from_slice(trailer(self.version));
        let checksum = sum(&message, carrier, kind.of(self.version)).checksum();
        message[vrrp::OFFSET_CHECKSUM..Header::LEN].copy_from_slice(&checksum);
        Ok(message)
    }

    /// Version 3: reserved bits and centiseconds; version 2: no authentication, and seconds.
    fn interval_octets(&self, carrier: Carrier) -> Result<[u8; 2], Unencodable> {
        let interval = self.max_advert_interval;
        match (self.version, carrier) {
            (Version::V3, _) => Ok(interval.get().to_be_bytes()),
            (Version::V2, Carrier::V6 { .. }) => Err(Unencodable::Version2OverIpv6),
            (Version::V2, Carrier::V4 { .. }) => {
                let seconds = interval
                    .whole_seconds()
                    .ok_or(Unencodable::Interval { interval })?;
                Ok([vrrp::NO_AUTHENTICATION, seconds])
            }
        }
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
            let needed = len(context.version, carrier, 1);
            let len = message.len();
            return Err(Discard::Incomplete { len, needed });
        };
        let header = Header::from_bytes(*fixed);
        let version = context.version;
        if header.version() != version.number() {
            let (found, expected) = (header.version(), version);
            return Err(Discard::Version { found, expected });
        }
        if let (Version::V2, Carrier::V6 { .. }) = (version, carrier) {
            return Err(Discard::Version2OverIpv6);
        }
        if header.packet_type() != vrrp::TYPE_ADVERTISEMENT {
            let found = header.packet_type();
            return Err(Discard::Type { found });
        }
        let needed = len(version, carrier, usize::from(header.address_count));
        let Some(message) = message.get(..needed) else {
            let len = message.len();
            return Err(Discard::Incomplete { len, needed });
        };
        if !is_intact(message, carrier, context) {
            return Err(Discard::Checksum);
        }
        let Some(vrid) = NonZeroU8::new(header.vrid).filter(|vrid| context.vrids.contains(vrid))
        else {
            let vrid = header.vrid;
            return Err(Discard::UnknownVrid { vrid });
        };
        let list = Header::LEN..needed - trailer(version).len();
        let addresses = addresses(&message[list], carrier);
        if addresses.is_empty() {
            return Err(Discard::NoAddresses);
        }
        if let Addresses::V6(v6) = &addresses
            && let Some(&found) = v6.first().filter(|first| !first.is_unicast_link_local())
        {
            return Err(Discard::FirstNotLinkLocal { found });
        }
        let max_advert_interval = match version {
            Version::V2 => interval2(header, context.advert_interval)?,
            Version::V3 => {
                Centiseconds::new(header.interval_centiseconds()).ok_or(Discard::ZeroInterval)?
            }
        };
        Ok(Self {
            version,
            vrid,
            priority: header.priority,
            max_advert_interval,
            addresses,
        })
    }
}

/// What follows the addresses: version 2 has room for authentication, sent as zero and not looked at
/// (RFC 3768 section 5.3.10).
const fn trailer(version: Version) -> &'static [u8] {
    match version {
        Version::V2 => &[0; vrrp::AUTHENTICATION_LEN],
        Version::V3 => &[],
    }
}

/// Octets of a message with `count` addresses.
const fn len(version: Version, carrier: Carrier, count: usize) -> usize {
    Header::LEN + count * carrier.address_len() + trailer(version).len()
}

/// The interval of version 2, which is the same on all routers.
fn interval2(header: Header, own: Centiseconds) -> Result<Centiseconds, Discard> {
    match header.authentication_and_seconds() {
        (vrrp::NO_AUTHENTICATION, found) if own.whole_seconds() == Some(found) => Ok(own),
        (vrrp::NO_AUTHENTICATION, found) => Err(Discard::Interval { found, own }),
        (found, _) => Err(Discard::Authentication { found }),
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

fn is_intact(message: &[u8], carrier: Carrier, context: &Context<'_>) -> bool {
    let kinds = match context.checksum4 {
        Some(kind) => [kind; 2],
        None => [ChecksumV4::Message, ChecksumV4::PseudoHeader],
    };
    kinds
        .map(|kind| kind.of(context.version))
        .into_iter()
        .any(|kind| sum(message, carrier, kind).is_valid())
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
