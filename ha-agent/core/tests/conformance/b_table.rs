//! The requirements of BFD and the tests that hold them.

use crate::table::{
    Row,
    Test::{Here, In},
};

const PACKET: &str = "ha-agent/core/tests/bfd/packet.rs";
const FSM: &str = "ha-agent/core/tests/bfd/fsm.rs";
const TRANSMISSION: &str = "ha-agent/core/tests/bfd/transmission.rs";
const POLL: &str = "ha-agent/core/tests/bfd/poll.rs";
const DETECTION: &str = "ha-agent/core/tests/bfd/detection.rs";
const SIMULATION: &str = "ha-agent/core/tests/bfd/simulation.rs";
const ECHO: &str = "ha-agent/core/tests/bfd/echo.rs";
const ADMIN: &str = "ha-agent/core/tests/bfd/admin.rs";
const ECHO_LAB: &str = "tests/tests/bfd_echo.rs";
const FRAME: &str = "ha-agent/src/net/frame/echo.rs";
const SOCKET: &str = "ha-agent/src/bfd/socket.rs";
const LIVE: &str = "tests/tests/fixtures/cases/live.rs";
const LOOPED: &str = "tests/tests/fixtures/cases/bfd_echo.rs";

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "B1",
        requirement: "A packet is discarded unless: version 1; Length 24 (26 with authentication) to that \
                      of the payload; Detect Mult not 0; Multipoint clear; My Discriminator not 0; Your \
                      Discriminator known, or 0 in state Down or AdminDown; no authentication",
        section: "RFC 5880 6.8.6",
        kept: &[
            In(PACKET, "an_example_is_read_and_written"),
            In(PACKET, "what_is_encoded_is_decoded"),
        ],
        broken: &[
            In(PACKET, "every_rule_discards_what_breaks_it"),
            In(PACKET, "a_packet_cut_anywhere_is_discarded"),
            In(PACKET, "who_does_not_know_our_number_may_only_be_down"),
            In(
                PACKET,
                "the_session_is_looked_for_before_authentication_is_judged",
            ),
        ],
    },
    Row {
        id: "B2",
        requirement: "Down, Init, Up and AdminDown change as the table has it; AdminDown is moved by \
                      nothing that comes",
        section: "RFC 5880 6.2, 6.8.6, 6.8.16",
        kept: &[
            In(
                FSM,
                "what_the_other_system_says_moves_the_state_as_the_table_has_it",
            ),
            In(FSM, "every_other_event_moves_what_it_must_and_nothing_else"),
        ],
        broken: &[In(ADMIN, "who_is_held_down_is_moved_by_nothing_that_comes")],
    },
    Row {
        id: "B3",
        requirement: "Packets are sent at the slower of the own and the other system's interval, each up \
                      to 25 % early, 10 to 25 % with a multiplier of 1; none periodically to who wants \
                      none",
        section: "RFC 5880 6.8.2, 6.8.7",
        kept: &[
            In(TRANSMISSION, "the_slower_of_the_two_decides"),
            In(TRANSMISSION, "each_gap_is_up_to_a_quarter_shorter"),
            In(
                TRANSMISSION,
                "with_a_multiplier_of_one_a_gap_is_a_tenth_shorter_at_least",
            ),
            In(TRANSMISSION, "a_shorter_interval_is_honoured_at_once"),
        ],
        broken: &[
            In(TRANSMISSION, "who_wants_no_packets_gets_none_but_answers"),
            In(
                TRANSMISSION,
                "demand_mode_of_the_other_system_ends_the_periodic_packets",
            ),
        ],
    },
    Row {
        id: "B4",
        requirement: "Not Up, there is a second at least between packets. A change of timing is told with \
                      the Poll bit, and where it slows down or demands more it is in force once Final has \
                      come. A Poll is answered at once",
        section: "RFC 5880 6.5, 6.8.3, 6.8.7",
        kept: &[
            In(TRANSMISSION, "not_up_it_is_a_packet_a_second"),
            In(POLL, "coming_up_is_a_change_that_is_polled_for"),
            In(POLL, "a_raised_transmit_interval_waits_for_the_answer"),
            In(POLL, "a_reduced_receive_interval_waits_for_the_answer"),
            In(POLL, "a_poll_is_answered_at_once_and_with_one_packet"),
        ],
        broken: &[
            In(POLL, "an_answer_to_nothing_answers_nothing"),
            In(POLL, "one_change_waits_for_the_one_before"),
        ],
    },
    Row {
        id: "B5",
        requirement: "The Detection Time is the other system's multiplier times the slower of its interval \
                      and the own one; its discriminator is forgotten only after such a time",
        section: "RFC 5880 6.8.1, 6.8.4",
        kept: &[
            In(
                DETECTION,
                "it_is_the_other_systems_multiplier_and_the_slower_interval",
            ),
            In(
                DETECTION,
                "the_number_of_the_other_system_is_forgotten_after_a_detection_time_only",
            ),
            In(
                SIMULATION,
                "silence_is_noticed_within_the_negotiated_time_and_not_before",
            ),
        ],
        broken: &[
            In(
                DETECTION,
                "silence_of_a_detection_time_is_a_failure_and_no_less_is",
            ),
            In(DETECTION, "an_observer_that_wakes_up_late_reads_first"),
            In(SIMULATION, "lateness_is_not_taken_for_silence"),
        ],
    },
    Row {
        id: "B6",
        requirement: "UDP 3784 over one hop, from a port of 49152 to 65535 that stays; TTL or hop limit 255 \
                      when sent, any other is discarded; a session for each family; whoever speaks first is answered, and either may be passive",
        section: "RFC 5881 3, 4, 5, 6",
        kept: &[
            Here("b6_ports_and_hop_limit_are_the_assigned_ones"),
            In(
                SOCKET,
                "a_packet_leaves_from_a_port_of_the_range_with_the_greatest_ttl",
            ),
            In(SIMULATION, "one_may_be_passive_but_not_both"),
        ],
        broken: &[
            In(PACKET, "any_other_ttl_is_discarded"),
            In(TRANSMISSION, "a_passive_system_waits_to_be_spoken_to"),
        ],
    },
    Row {
        id: "B7",
        requirement: "Echo packets are sent only while Up, to a system that loops them, and no more often \
                      than it can; when they do not come back the session is Down. Those of a neighbour \
                      are sent back, once",
        section: "RFC 5880 6.4, 6.8.5, 6.8.9; RFC 5881 4",
        kept: &[
            In(ECHO, "the_slower_interval_is_kept"),
            In(ECHO, "packets_that_come_back_keep_it_up"),
            In(FRAME, "what_comes_back_is_what_was_sent"),
            In(
                ECHO_LAB,
                "what_is_sent_comes_back_and_when_it_does_not_the_session_is_down",
            ),
            In(LOOPED, "a BFD echo to its sender comes back"),
            In(LOOPED, "a BFD echo to this node comes back over IPv6"),
        ],
        broken: &[
            In(ECHO, "it_needs_both_sides_and_a_session_that_is_up"),
            In(ECHO, "it_ends_when_the_other_system_loops_no_longer"),
            In(ECHO, "the_multiplier_of_lost_ones_is_a_failure"),
            In(
                LOOPED,
                "a BFD echo that was looped already is not looped again",
            ),
            In(LOOPED, "a stranger's BFD echo"),
        ],
    },
    Row {
        id: "B8",
        requirement: "Several hops (UDP 4784) are not offered: what a router has passed on is discarded",
        section: "RFC 5883",
        kept: &[Here("b8_what_came_over_one_hop_is_accepted")],
        broken: &[Here("b8_what_came_over_more_is_discarded")],
    },
    Row {
        id: "B9",
        requirement: "A session that is held down at either end is no failure; what is one is told as such",
        section: "RFC 5882 3.2, 4.2",
        kept: &[
            In(ADMIN, "the_other_systems_operator_is_no_failure"),
            In(
                ADMIN,
                "who_is_held_down_says_so_at_once_and_goes_on_saying_it",
            ),
        ],
        broken: &[In(FSM, "to_be_held_down_is_no_failure")],
    },
    Row {
        id: "B10",
        requirement: "Authentication is not offered: the bit is never sent, and what has it is discarded",
        section: "RFC 5880 6.7, 6.8.6",
        kept: &[Here("b10_the_bit_is_never_sent")],
        broken: &[In(PACKET, "authentication_is_not_offered_and_never_sent")],
    },
    Row {
        id: "B11",
        requirement: "The reflector of seamless BFD keeps no state and answers for discriminators of its \
                      own only: Up, or AdminDown when the lease has ended",
        section: "RFC 7880 5, 7; RFC 7881 3",
        kept: &[
            In(LIVE, "a node with a valid lease is Up"),
            In(LIVE, "a node whose lease lapsed is held down"),
            In(LIVE, "a poll is answered with the final bit"),
        ],
        broken: &[
            In(LIVE, "a request for somebody else's discriminator"),
            In(LIVE, "a request of a stranger"),
            In(LIVE, "a request that came through a router"),
        ],
    },
];
