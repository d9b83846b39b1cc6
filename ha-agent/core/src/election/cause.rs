//! Why a role changed, and why a request was refused: a word for programs, a sentence for people.

use core::{fmt, net::IpAddr, time::Duration};

/// Why a role changed. One sentence each for the operator: [`Cause::describe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The agent started.
    Started,
    /// The agent was started again within the lease, and the node goes on as Active.
    Resumed,
    /// This node owns the addresses (priority 255).
    AddressOwner,
    /// The Active node's advertisements stopped.
    ActiveSilent {
        /// Time since its last advertisement.
        silence: Duration,
    },
    /// The Active node released the group (priority 0).
    ActiveReleased,
    /// Nothing is heard of the Active node any more, whose liveness is watched.
    ActiveLost,
    /// The Active node says that its lease has lapsed.
    ActiveDown,
    /// The Active node's advertisements stopped, but it lives: nothing changes.
    AdvertsLost {
        /// The node.
        peer: IpAddr,
    },
    /// A living node said that it is not Active.
    ActiveDenied,
    /// This node would take over, but the witness does not answer: it may be this node that is cut off.
    NoWitness,
    /// No other node was heard.
    NobodyActive,
    /// This node has the higher priority and preempts.
    Preempting,
    /// The Active node that was preempted has let go.
    Yielded,
    /// The Active node that was preempted did not say that it let go, and the wait is over.
    YieldTimeout,
    /// The Active node that was to be preempted goes on advertising: it does not hear this node.
    NotYielding {
        /// The peer.
        peer: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// A peer with a higher priority, or the same and a greater address, is Active.
    HigherPriority {
        /// The peer.
        peer: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// The operator asked for it.
    OperatorPromoted,
    /// The operator asked for it.
    OperatorReleased,
    /// The operator asked the Active node to hand over, and that node asked this one.
    AskedToTakeOver {
        /// The Active node.
        peer: IpAddr,
    },
    /// The operator asked this node to hand over, and the peer claims.
    HandedOver {
        /// The peer.
        peer: IpAddr,
    },
    /// The node is in maintenance.
    Maintenance,
    /// A check of the group failed.
    CheckFailed,
    /// Another member of the sync group is not Active any more.
    MemberLeft,
    /// The kernel saw an advertisement that takes precedence before the election did.
    Demoted {
        /// Its priority.
        priority: u8,
    },
    /// The lease lapsed.
    LeaseLapsed,
    /// A peer that does not hear this node takes over, and the kernel ended the lease.
    GaveWay,
    /// The agent stops.
    Stopping,
    /// The Active peer changed; the role did not.
    ActiveChanged,
}

impl Cause {
    /// A stable word for it, for JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Resumed => "resumed",
            Self::AddressOwner => "address_owner",
            Self::ActiveSilent { .. } => "active_silent",
            Self::ActiveReleased => "active_released",
            Self::ActiveLost => "active_lost",
            Self::ActiveDown => "active_down",
            Self::AdvertsLost { .. } => "adverts_lost",
            Self::ActiveDenied => "active_denied",
            Self::NoWitness => "no_witness",
            Self::NobodyActive => "nobody_active",
            Self::Preempting => "preempting",
            Self::Yielded => "yielded",
            Self::YieldTimeout => "yield_timeout",
            Self::NotYielding { .. } => "not_yielding",
            Self::HigherPriority { .. } => "higher_priority",
            Self::OperatorPromoted => "operator_promoted",
            Self::OperatorReleased => "operator_released",
            Self::AskedToTakeOver { .. } => "asked_to_take_over",
            Self::HandedOver { .. } => "handed_over",
            Self::Maintenance => "maintenance",
            Self::CheckFailed => "check_failed",
            Self::MemberLeft => "member_left",
            Self::Demoted { .. } => "demoted",
            Self::LeaseLapsed => "lease_lapsed",
            Self::GaveWay => "gave_way",
            Self::Stopping => "stopping",
            Self::ActiveChanged => "active_changed",
        }
    }

    /// One sentence for the operator.
    #[must_use]
    pub fn describe(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("The agent started and listens before it takes part."),
            Self::Resumed => f.write_str("The agent was started again in time and goes on."),
            Self::AddressOwner => {
                f.write_str("This node has priority 255 and so owns the addresses.")
            }
            Self::ActiveSilent { silence } => write!(
                f,
                "The Active node has not advertised for {} ms.",
                silence.as_millis()
            ),
            Self::ActiveReleased => f.write_str("The Active node released the group."),
            Self::ActiveLost => f.write_str("The Active node answers no liveness probe any more."),
            Self::ActiveDown => f.write_str("The Active node says that its lease has lapsed."),
            Self::AdvertsLost { peer } => write!(
                f,
                "The advertisements of {peer} do not arrive, but it lives: nothing changes.",
            ),
            Self::ActiveDenied => {
                f.write_str("The node whose advertisements stopped says that it is not Active.")
            }
            Self::NoWitness => f.write_str(
                "This node would take over, but the witness does not answer: it may itself be cut off.",
            ),
            Self::NobodyActive => f.write_str("No other node was heard."),
            Self::Preempting => {
                f.write_str("This node has a higher priority than the Active one and preempts it.")
            }
            Self::Yielded => f.write_str("The node that was Active has confirmed that it let go."),
            Self::YieldTimeout => f.write_str(
                "The node that was Active did not confirm that it let go, and is silent since.",
            ),
            Self::NotYielding { peer, priority } => write!(
                f,
                "{peer} with priority {priority} goes on advertising: it does not hear this node.",
            ),
            Self::HigherPriority { peer, priority } => {
                write!(f, "{peer} takes precedence with priority {priority}.")
            }
            Self::OperatorPromoted => f.write_str("The operator promoted this node."),
            Self::OperatorReleased => f.write_str("The operator released the group here."),
            Self::AskedToTakeOver { peer } => {
                write!(f, "{peer} is Active and asked this node to take over.")
            }
            Self::HandedOver { peer } => {
                write!(f, "The operator had this node hand the group over, and {peer} takes it.")
            }
            Self::Maintenance => f.write_str("This node is in maintenance and serves nothing."),
            Self::CheckFailed => f.write_str("A check of the group failed on this node."),
            Self::MemberLeft => {
                f.write_str("Another member of the sync group is not Active here any more.")
            }
            Self::Demoted { priority } => write!(
                f,
                "The kernel saw an advertisement of priority {priority} that takes precedence.",
            ),
            Self::GaveWay => f.write_str(
                "A peer does not hear this node and takes over, and the kernel silenced this one.",
            ),
            Self::LeaseLapsed => f.write_str(
                "The agent did not renew its lease in time, and the kernel silenced the node.",
            ),
            Self::Stopping => f.write_str("The agent stops."),
            Self::ActiveChanged => f.write_str("Another node is Active now, or none is known."),
        }
    }
}

/// Why an operator's request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The election has not started, or waits for a new lease.
    #[error("the group does not take part now: its agent holds no lease, or is still starting")]
    NotRunning,
    /// A check of the group has failed.
    #[error("a check of the group has failed on this node: `ha-agent status` names it")]
    CheckFailed,
    /// There is nothing to hand over.
    #[error("this node is not Active for the group, so it cannot hand it over")]
    NotActive,
    /// The operator has taken the node out of service.
    #[error("this node is in maintenance: end that with `ha-agent maintenance off` first")]
    Maintenance,
    /// The Active node cannot be outbid by a priority.
    #[error(
        "{peer} is Active with priority {priority}, which no priority here can beat: \
         run `ha-agent release` there instead"
    )]
    NotOutranked {
        /// The Active node.
        peer: IpAddr,
        /// Its priority.
        priority: u8,
    },
}

impl Refusal {
    /// A stable word for it, for JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not_running",
            Self::CheckFailed => "check_failed",
            Self::NotActive => "not_active",
            Self::Maintenance => "maintenance",
            Self::NotOutranked { .. } => "not_outranked",
        }
    }
}

#[cfg(test)]
mod tests {
    use core::{
        net::{IpAddr, Ipv4Addr},
        time::Duration,
    };
    use std::collections::BTreeSet;

    use super::{Cause, Refusal};

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

    const ALL: [Cause; 28] = [
        Cause::Started,
        Cause::Resumed,
        Cause::AddressOwner,
        Cause::ActiveSilent {
            silence: Duration::from_millis(360),
        },
        Cause::ActiveReleased,
        Cause::ActiveLost,
        Cause::ActiveDown,
        Cause::AdvertsLost { peer: PEER },
        Cause::ActiveDenied,
        Cause::NoWitness,
        Cause::NobodyActive,
        Cause::Preempting,
        Cause::Yielded,
        Cause::YieldTimeout,
        Cause::NotYielding {
            peer: PEER,
            priority: 50,
        },
        Cause::HigherPriority {
            peer: PEER,
            priority: 200,
        },
        Cause::OperatorPromoted,
        Cause::OperatorReleased,
        Cause::AskedToTakeOver { peer: PEER },
        Cause::HandedOver { peer: PEER },
        Cause::Maintenance,
        Cause::CheckFailed,
        Cause::MemberLeft,
        Cause::Demoted { priority: 200 },
        Cause::LeaseLapsed,
        Cause::GaveWay,
        Cause::Stopping,
        Cause::ActiveChanged,
    ];

    #[test]
    fn each_cause_has_a_word_and_a_sentence_of_its_own() {
        let words: BTreeSet<_> = ALL.iter().map(|cause| cause.name()).collect();
        let sentences: BTreeSet<_> = ALL.iter().map(|cause| cause.describe()).collect();
        assert_eq!((words.len(), sentences.len()), (ALL.len(), ALL.len()));
        for sentence in sentences {
            assert!(
                sentence.ends_with('.') && !sentence.contains('\n'),
                "{sentence}"
            );
        }
    }

    #[test]
    fn sentences_carry_the_numbers() {
        assert_eq!(
            ALL[3].describe(),
            "The Active node has not advertised for 360 ms."
        );
        assert_eq!(
            ALL[15].describe(),
            "10.0.0.1 takes precedence with priority 200."
        );
        let refusal = Refusal::NotOutranked {
            peer: PEER,
            priority: 255,
        };
        assert!(
            refusal
                .to_string()
                .starts_with("10.0.0.1 is Active with priority 255")
        );
    }
}
