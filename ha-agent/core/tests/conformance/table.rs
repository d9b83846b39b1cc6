//! The requirements and the tests that hold them.

/// A requirement of RFC 9568, errata 8298 to 8301 included, or of one of BFD's.
pub(crate) struct Row {
    /// P for packets, S for the state machine, B for BFD.
    pub(crate) id: &'static str,
    /// What is demanded, in our own words.
    pub(crate) requirement: &'static str,
    /// Section of RFC 9568, or the RFC and its section.
    pub(crate) section: &'static str,
    /// Tests in which it is kept.
    pub(crate) kept: &'static [Test],
    /// Tests in which it is, or would be, broken, and what happens then.
    pub(crate) broken: &'static [Test],
}

/// Where a test is.
#[derive(Clone, Copy)]
pub(crate) enum Test {
    /// A function beside this file.
    Here(&'static str),
    /// A function or a fixture of another part: its file from the top of the repository, and its name.
    In(&'static str, &'static str),
}

use Test::{Here, In};

const ARP: &str = "tests/tests/fixtures/cases/arp.rs";
const ND: &str = "tests/tests/fixtures/cases/nd.rs";
const ND_CLAIMS: &str = "tests/tests/fixtures/cases/nd_claims.rs";
const DELIVER: &str = "tests/tests/fixtures/cases/deliver.rs";
const STALE: &str = "tests/tests/fixtures/cases/stale.rs";
const OTHER: &str = "tests/tests/fixtures/cases/other.rs";
const FRAME: &str = "ha-agent/src/net/frame/vrrp.rs";
const ANNOUNCEMENT: &str = "ha-agent/src/net/frame/announcement.rs";
const LEARNT: &str = "ha-agent/core/tests/packet/checksum.rs";
const ADMITTED: &str = "ha-agent/src/dataplane/admitted.rs";

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "P1",
        requirement: "Only version 3 and type 1; what else there is is discarded",
        section: "5.2.1, 5.2.2, 7.1",
        kept: &[Here("p1_version_3_type_1_is_accepted")],
        broken: &[Here("p1_any_other_version_or_type_is_discarded")],
    },
    Row {
        id: "P2",
        requirement: "TTL or hop limit is 255 when sent; any other is discarded",
        section: "5.1.1.3, 5.1.2.3, 7.1",
        kept: &[
            Here("p2_ttl_255_is_accepted"),
            In(FRAME, "what_is_sent_is_heard"),
        ],
        broken: &[Here("p2_any_other_ttl_is_discarded")],
    },
    Row {
        id: "P3",
        requirement: "IP protocol 112 to 224.0.0.18 or ff02::12, which nobody forwards",
        section: "5.1.1.2, 5.1.1.4, 5.1.2.2, 5.1.2.4",
        kept: &[
            Here("p3_protocol_and_groups_are_the_assigned_ones"),
            In(FRAME, "what_is_sent_is_heard"),
        ],
        broken: &[
            Here("p3_the_groups_are_of_the_link_and_not_to_be_forwarded"),
            In(OTHER, "VRRP over IPv4"),
            In(OTHER, "VRRP over IPv6"),
        ],
    },
    Row {
        id: "P4",
        requirement: "Sent from the interface's primary IPv4 or link-local IPv6 address",
        section: "5.1.1.1, 5.1.2.1, 7.2",
        kept: &[
            Here("p4_each_family_advertises_from_its_own_primary"),
            In(FRAME, "what_is_sent_is_heard"),
        ],
        broken: &[Here(
            "p4_an_advertisement_from_the_own_primary_is_not_heeded",
        )],
    },
    Row {
        id: "P5",
        requirement: "The virtual MAC is 00-00-5E-00-01-VRID or 00-00-5E-00-02-VRID, VRID 1 to 255",
        section: "5.2.3, 7.3",
        kept: &[Here("p5_the_virtual_mac_is_made_of_the_router_id")],
        broken: &[Here("p5_router_id_0_is_discarded")],
    },
    Row {
        id: "P6",
        requirement: "The checksum covers the message, over IPv6 the pseudo-header too. Over IPv4 \
                      other makes include it as well, so either is accepted and the peer's can be \
                      learnt",
        section: "5.2.8, 7.1",
        kept: &[
            Here("p6_over_ipv4_either_checksum_is_accepted_and_the_chosen_one_sent"),
            In(LEARNT, "auto_sends_what_it_heard_last"),
        ],
        broken: &[
            Here("p6_a_wrong_checksum_is_discarded"),
            Here("p6_over_ipv6_a_checksum_of_the_message_alone_is_discarded"),
        ],
    },
    Row {
        id: "P7",
        requirement: "The packet is complete: 8 octets, then 4 or 16 for each of at least one address",
        section: "5.2.5, 7.1",
        kept: &[Here("p7_a_complete_packet_is_accepted")],
        broken: &[Here(
            "p7_a_packet_cut_anywhere_or_without_addresses_is_discarded",
        )],
    },
    Row {
        id: "P8",
        requirement: "The VRID is configured on the receiving interface; an owner that hears \
                      another advertiser does not ignore it",
        section: "7.1",
        kept: &[Here("p8_a_configured_router_is_accepted_by_the_owner_too")],
        broken: &[Here("p8_any_other_router_is_discarded")],
    },
    Row {
        id: "P9",
        requirement: "The interval is 1 to 4095 centiseconds; another one than one's own is no \
                      reason to discard",
        section: "5.2.7, 7.1",
        kept: &[Here(
            "p9_every_interval_of_twelve_bits_is_accepted_whatever_the_own_one",
        )],
        broken: &[Here("p9_interval_0_is_discarded")],
    },
    Row {
        id: "P10",
        requirement: "Reserved bits are sent as zero and not looked at",
        section: "5.2.6",
        kept: &[Here("p10_reserved_bits_are_sent_as_zero")],
        broken: &[Here("p10_reserved_bits_that_are_set_are_not_looked_at")],
    },
    Row {
        id: "P11",
        requirement: "Over IPv6 the first address is link-local; the addresses are of the family \
                      that carries them",
        section: "5.2.9",
        kept: &[Here(
            "p11_a_first_ipv6_address_that_is_link_local_is_accepted",
        )],
        broken: &[Here(
            "p11_any_other_first_ipv6_address_and_the_other_family_are_refused",
        )],
    },
    Row {
        id: "P12",
        requirement: "Priority 255 owns the addresses, 0 lets go, 1 to 254 are everybody else's",
        section: "5.2.4",
        kept: &[Here("p12_255_owns_0_lets_go_and_every_priority_is_carried")],
        broken: &[Here("p12_0_is_nobodys_priority_and_255_no_promoted_nodes")],
    },
    Row {
        id: "S1",
        requirement: "The owner starts as Active, others as Backup. With a grace time (yield_grace) \
                      the owner advertises at once but answers only when that is over",
        section: "6.4.1",
        kept: &[Here(
            "s1_the_owner_is_active_at_once_where_nothing_is_to_be_waited_for",
        )],
        broken: &[Here("s1_others_listen_first")],
    },
    Row {
        id: "S2",
        requirement: "A Backup answers neither ARP nor neighbour solicitations, accepts no packet to \
                      the addresses, and does not deliver what comes to the virtual MAC",
        section: "6.4.2",
        kept: &[
            Here("s2_a_backup_listens"),
            In(ARP, "a Backup is silent"),
            In(ND, "a Backup is silent"),
            In(STALE, "no peer is known"),
        ],
        broken: &[
            Here("s2_a_backup_neither_advertises_nor_announces"),
            In(
                ND,
                "a Backup leaves duplicate address detection to the owner",
            ),
        ],
    },
    Row {
        id: "S3",
        requirement: "Backup: a release leaves a skew time; the same or a higher priority, or any \
                      without preempt mode, sets interval and timer; a lower one is discarded",
        section: "6.4.2",
        kept: &[
            Here("s3_a_release_leaves_a_skew_time"),
            Here("s3_what_is_not_worse_sets_interval_and_timer"),
            Here("s3_without_preempt_mode_what_is_worse_does_so_too"),
        ],
        broken: &[Here("s3_with_preempt_mode_what_is_worse_is_discarded")],
    },
    Row {
        id: "S4",
        requirement: "When the timer runs out: advertise, announce every address, start Adver_Timer",
        section: "6.4.2",
        kept: &[
            Here("s4_when_the_timer_runs_out_it_advertises_and_announces"),
            In(ANNOUNCEMENT, "gratuitous_arp_names_the_address_twice"),
            In(ANNOUNCEMENT, "unsolicited_na_is_intact"),
        ],
        broken: &[Here("s4_before_it_runs_out_nothing_happens")],
    },
    Row {
        id: "S5",
        requirement: "Active: answers with the virtual MAC and never the NIC's, says that it is a \
                      router, delivers what comes to the virtual MAC. The addresses are always \
                      accepted (Accept_Mode)",
        section: "6.4.3, 8.1.2, 8.2.2",
        kept: &[
            In(ARP, "a broadcast request is answered with the virtual MAC"),
            In(
                ND,
                "a multicast solicitation is answered with the virtual MAC",
            ),
            In(ND, "a router says that it is one"),
            In(DELIVER, "UDP to the virtual MAC gets the NIC's"),
        ],
        broken: &[
            In(
                ARP,
                "a unicast poll of the NIC is answered, and with the virtual MAC",
            ),
            In(DELIVER, "flooded frames are left alone"),
        ],
    },
    Row {
        id: "S6",
        requirement: "Active becomes Backup on a higher priority, or the same from a greater address",
        section: "6.4.3",
        kept: &[Here("s6_a_better_advertisement_makes_a_backup")],
        broken: &[Here(
            "s6_a_worse_one_or_a_tie_with_a_lesser_address_does_not",
        )],
    },
    Row {
        id: "S7",
        requirement: "Active answers a losing advertisement with its own at once",
        section: "6.4.3",
        kept: &[Here("s7_a_losing_advertisement_is_answered_at_once")],
        broken: &[Here(
            "s7_a_winning_advertisement_is_not_answered_with_the_own_priority",
        )],
    },
    Row {
        id: "S8",
        requirement: "Active answers a release with an advertisement, and releases when it stops",
        section: "6.4.3",
        kept: &[Here("s8_a_release_is_answered_and_a_shutdown_releases")],
        broken: &[Here("s8_who_is_not_active_has_nothing_to_release")],
    },
    Row {
        id: "S9",
        requirement: "Nothing is announced before address and virtual MAC are in force",
        section: "8.1.2, 8.2.2",
        kept: &[Here("s9_announcements_come_after_role_and_advertisement")],
        broken: &[Here(
            "s9_nothing_is_announced_before_the_group_may_take_part",
        )],
    },
    Row {
        id: "S10",
        requirement: "Interface identifiers are not made of the virtual MAC: no interface has it, the \
                      NIC only admits it",
        section: "7.4",
        kept: &[
            Here("s10_nodes_with_link_local_addresses_of_their_own_hear_each_other"),
            In(
                ADMITTED,
                "virtual_macs_and_solicitations_on_the_group_s_interface",
            ),
        ],
        broken: &[Here(
            "s10_an_address_made_of_the_virtual_mac_would_be_taken_for_the_own",
        )],
    },
    Row {
        id: "S11",
        requirement: "Every discard is counted and logged; queueing delay does not make roles flap; \
                      unsolicited neighbour advertisements are accepted in both states",
        section: "2.5, 7.1, 8.2.4",
        kept: &[
            Here("s11_every_discard_has_a_word_for_the_counter_and_a_sentence_for_the_log"),
            In(ND_CLAIMS, "the owner's advertisement reaches a Backup"),
            In(ND_CLAIMS, "a stranger advertises the address"),
        ],
        broken: &[Here(
            "s11_a_late_advertisement_before_the_timer_changes_no_role",
        )],
    },
];
