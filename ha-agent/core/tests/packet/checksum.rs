//! The checksum that is learnt from the peer.

use ha_core::vrrp::{Carrier, ChecksumChoice, ChecksumV4};

use crate::sample::{MESSAGE4, PSEUDO4, V4, V6, advertisement4, message6};

fn with_pseudo_header() -> [u8; 12] {
    let mut message = MESSAGE4;
    message[6..8].copy_from_slice(&PSEUDO4);
    message
}

#[test]
fn a_message_tells_which_checksum_it_has() {
    let found = |message: &[u8], carrier| ChecksumV4::found_in(message, carrier);
    assert_eq!(found(&MESSAGE4, V4), Some(ChecksumV4::Message));
    assert_eq!(
        found(&with_pseudo_header(), V4),
        Some(ChecksumV4::PseudoHeader)
    );
    assert_eq!(found(&message6(), V6), None, "there is no choice");
    let padded = [&with_pseudo_header()[..], &[7, 7, 7]].concat();
    assert_eq!(found(&padded, V4), Some(ChecksumV4::PseudoHeader));
    let mut wrong = MESSAGE4;
    wrong[7] ^= 1;
    assert_eq!(found(&wrong, V4), None);
    assert_eq!(found(&[], V4), None);
    assert_eq!(found(&MESSAGE4[..8], V4), None, "the address is missing");
}

/// The pseudo-header of these addresses adds up to nothing.
#[test]
fn where_both_are_the_same_nothing_is_told() {
    let destination = [0xff, 0xff, 0xff, 0xff - 112 - 12];
    let carrier = Carrier::V4 {
        source: [0, 0, 0, 0].into(),
        destination: destination.into(),
    };
    let [message, pseudo] = [ChecksumV4::Message, ChecksumV4::PseudoHeader]
        .map(|kind| advertisement4().encode(carrier, kind).unwrap());
    assert_eq!(message, pseudo);
    assert_eq!(ChecksumV4::found_in(&message, carrier), None);
}

#[test]
fn auto_sends_what_it_heard_last() {
    let mut choice = ChecksumChoice::AUTO;
    assert_eq!(choice.sent(), ChecksumV4::PseudoHeader);
    assert_eq!(choice.learn(&with_pseudo_header(), V4), None, "as before");
    let changed = choice.learn(&MESSAGE4, V4);
    assert_eq!(changed, Some(ChecksumV4::Message));
    assert_eq!(choice.sent(), ChecksumV4::Message);
    assert_eq!(choice.learn(&MESSAGE4, V4), None);
    assert_eq!(choice.learn(&message6(), V6), None, "IPv6 tells nothing");
    assert_eq!(choice.sent(), ChecksumV4::Message);
    let changed = choice.learn(&with_pseudo_header(), V4);
    assert_eq!(changed, Some(ChecksumV4::PseudoHeader));
}

#[test]
fn fixed_learns_nothing() {
    for kind in [ChecksumV4::Message, ChecksumV4::PseudoHeader] {
        let mut choice = ChecksumChoice::Fixed(kind);
        assert_eq!(choice.learn(&MESSAGE4, V4), None);
        assert_eq!(choice.learn(&with_pseudo_header(), V4), None);
        assert_eq!(choice.sent(), kind);
    }
    assert_eq!(ChecksumChoice::default().sent(), ChecksumV4::Message);
}
