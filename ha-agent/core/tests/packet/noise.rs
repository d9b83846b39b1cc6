//! Octets that nobody would send, and everything that one might.

use ha_core::vrrp::{Addresses, Advertisement, Carrier, Centiseconds, ChecksumV4, Context};
use proptest::prelude::*;

use crate::sample::{LINK_LOCAL, MESSAGE4, V4, V6, advertisement, context, forge, message6};

fn any_advertisement() -> impl Strategy<Value = (Carrier, Advertisement)> {
    let v4 = (
        any::<[[u8; 4]; 2]>(),
        prop::collection::vec(any::<[u8; 4]>(), 1..=255),
    )
        .prop_map(|([source, destination], list)| {
            let carrier = Carrier::V4 {
                source: source.into(),
                destination: destination.into(),
            };
            (
                carrier,
                Addresses::V4(list.into_iter().map(Into::into).collect()),
            )
        });
    let v6 = (
        any::<[[u8; 16]; 2]>(),
        prop::collection::vec(any::<[u8; 16]>(), 0..90),
    )
        .prop_map(|([source, destination], list)| {
            let carrier = Carrier::V6 {
                source: source.into(),
                destination: destination.into(),
            };
            let list = list.into_iter().map(Into::into);
            (
                carrier,
                Addresses::V6(std::iter::once(LINK_LOCAL).chain(list).collect()),
            )
        });
    (prop_oneof![v4, v6], any::<u8>(), 1..=4095_u16).prop_map(
        |((carrier, addresses), priority, interval)| {
            let advert = Advertisement {
                priority,
                max_advert_interval: Centiseconds::new(interval).expect("it is an interval"),
                ..advertisement(addresses)
            };
            (carrier, advert)
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded((carrier, advert) in any_advertisement(), pseudo: bool) {
        let kind = if pseudo { ChecksumV4::PseudoHeader } else { ChecksumV4::Message };
        let message = advert.encode(carrier, kind).unwrap();
        prop_assert!(message.len() <= 1500 - 20);
        for demanded in [None, Some(kind)] {
            let context = Context { checksum4: demanded, ..context(carrier) };
            prop_assert_eq!(Advertisement::decode(&message, &context), Ok(advert.clone()));
        }
    }

    #[test]
    fn noise_is_discarded(noise in prop::collection::vec(any::<u8>(), 0..200), v6: bool) {
        let carrier = if v6 { V6 } else { V4 };
        if let Ok(advert) = Advertisement::decode(&noise, &context(carrier)) {
            prop_assert!(advert.encode(carrier, ChecksumV4::Message).is_ok());
        }
    }

    #[test]
    fn forgeries_with_a_right_checksum_are_discarded_or_are_advertisements(
        changes in prop::collection::vec((0_usize..40, any::<u8>()), 0..6),
        len in 0_usize..=40,
        v6: bool,
    ) {
        let (carrier, message) = if v6 { (V6, message6()) } else { (V4, MESSAGE4.to_vec()) };
        let inside = |&(at, _): &(usize, u8)| at < message.len() && !(6..8).contains(&at);
        let changes: Vec<_> = changes.into_iter().filter(inside).collect();
        let forged = forge(&message, &changes);
        let forged = &forged[..len.min(forged.len())];
        match Advertisement::decode(forged, &context(carrier)) {
            Ok(advert) => prop_assert!(advert.encode(carrier, ChecksumV4::Message).is_ok()),
            Err(discard) => prop_assert!(!discard.to_string().is_empty()),
        }
    }
}
