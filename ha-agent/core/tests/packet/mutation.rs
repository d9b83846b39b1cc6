//! Advertisements of both versions, spoilt in every way: nothing panics, and what is still accepted is
//! what it says, octet by octet.

use ha_core::vrrp::{
    Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Context, Version,
};
use proptest::prelude::*;

use crate::sample::{LINK_LOCAL, V4, V6, advertisement, context, forge};

/// What happens to a message on its way.
#[derive(Clone, Debug)]
enum Mutation {
    /// A bit is flipped.
    Flip(prop::sample::Index, u8),
    /// An octet is set, and the checksum made right.
    Forge(prop::sample::Index, u8),
    /// The end is missing.
    Cut(prop::sample::Index),
    /// Something follows.
    Append(Vec<u8>),
}

fn any_mutation() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        2 => (index(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        6 => (index(), any::<u8>()).prop_map(|(at, octet)| Mutation::Forge(at, octet)),
        1 => index().prop_map(Mutation::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Mutation::Append),
    ]
}

fn mutate(message: Vec<u8>, mutation: &Mutation) -> Vec<u8> {
    let mut mutated = message;
    match mutation {
        Mutation::Flip(at, bit) if !mutated.is_empty() => {
            let at = at.index(mutated.len());
            mutated[at] ^= 1 << bit;
        }
        Mutation::Forge(at, octet) if mutated.len() >= 8 => {
            let at = at.index(mutated.len() & !1);
            // The checksum itself cannot be both changed and right.
            if !(6..8).contains(&at) {
                mutated = forge(&mutated, &[(at, *octet)]);
            }
        }
        Mutation::Flip(..) | Mutation::Forge(..) => {}
        Mutation::Cut(at) => mutated.truncate(at.index(mutated.len() + 1)),
        Mutation::Append(more) => mutated.extend(more),
    }
    mutated
}

/// An advertisement and the context in which it is accepted.
fn any_sent() -> impl Strategy<Value = (Advertisement, Context<'static>)> {
    let v4 = |count| {
        prop::collection::vec(any::<[u8; 4]>(), count)
            .prop_map(|list| Addresses::V4(list.into_iter().map(Into::into).collect()))
    };
    let v6 = prop::collection::vec(any::<[u8; 16]>(), 0..4).prop_map(|list| {
        let list = list.into_iter().map(Into::into);
        Addresses::V6(std::iter::once(LINK_LOCAL).chain(list).collect())
    });
    let seconds = (1..=40_u16).prop_map(|seconds| seconds * 100);
    let message = prop_oneof![
        (Just((Version::V2, V4)), v4(1..5), seconds),
        (Just((Version::V3, V4)), v4(1..5), 1..=4095_u16),
        (Just((Version::V3, V6)), v6, 1..=4095_u16),
    ];
    (message, any::<u8>()).prop_map(|(((version, carrier), addresses, interval), priority)| {
        let advert_interval = Centiseconds::new(interval).expect("it is an interval");
        let advert = Advertisement {
            version,
            priority,
            max_advert_interval: advert_interval,
            ..advertisement(addresses)
        };
        let context = Context {
            version,
            advert_interval,
            ..context(carrier)
        };
        (advert, context)
    })
}

/// The octets that a receiver looks at, all others as a sender sets them; without the checksum, which
/// covers the others, too.
fn seen(message: &[u8], version: Version, carrier: Carrier) -> Vec<u8> {
    let address_len = match carrier {
        Carrier::V4 { .. } => 4,
        Carrier::V6 { .. } => 16,
    };
    let addresses_end = 8 + usize::from(message[3]) * address_len;
    let mut seen = message[..addresses_end].to_vec();
    seen[6..8].fill(0);
    match version {
        Version::V2 => seen.extend([0; 8]),
        Version::V3 => seen[4] &= 0x0f,
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_sent_is_received_and_cut_anywhere_is_not((advert, context) in any_sent(), pseudo: bool) {
        let kind = if pseudo { ChecksumV4::PseudoHeader } else { ChecksumV4::Message };
        let message = advert.encode(context.carrier, kind).unwrap();
        let decoded = Advertisement::decode(&message, &context);
        prop_assert_eq!(decoded.as_ref(), Ok(&advert));
        for len in 0..message.len() {
            let decoded = Advertisement::decode(&message[..len], &context);
            prop_assert!(decoded.is_err(), "{} octets: {:?}", len, decoded);
        }
        let other = match context.version {
            Version::V2 => Version::V3,
            Version::V3 => Version::V2,
        };
        let context = Context { version: other, ..context };
        prop_assert!(Advertisement::decode(&message, &context).is_err());
    }

    #[test]
    fn what_is_accepted_is_encoded_to_what_was_seen(
        (advert, context) in any_sent(),
        mutations in prop::collection::vec(any_mutation(), 0..5),
    ) {
        let carrier = context.carrier;
        let sent = advert.encode(carrier, ChecksumV4::Message).unwrap();
        let received = mutations.iter().fold(sent, mutate);
        match Advertisement::decode(&received, &context) {
            Ok(accepted) => {
                let again = accepted.encode(carrier, ChecksumV4::Message).unwrap();
                let seen = |message: &[u8]| seen(message, context.version, carrier);
                prop_assert_eq!(seen(&again), seen(&received));
                prop_assert_eq!(Advertisement::decode(&again, &context), Ok(accepted));
            }
            Err(discard) => prop_assert!(!discard.to_string().is_empty()),
        }
    }
}
