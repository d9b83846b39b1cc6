//! What every election has in common: the same inputs, the same commands.

use core::net::IpAddr;

pub use ha_common::abi::Role;

use crate::{time::Time, vrrp::Advertisement};

/// What happens to an election of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The agent holds a lease and the group may take part.
    Start,
    /// The time of [`Election::deadline`] has come.
    Timer,
    /// A checked advertisement for the group's virtual router.
    Advert {
        /// The sender's address.
        from: IpAddr,
        /// What it says.
        advert: Advertisement,
    },
    /// The operator wants this node to be Active.
    Promote,
    /// The operator wants this node to let go, and to stay Backup while another node is Active.
    Release,
    /// The lease lapsed: the kernel has silenced the node already.
    LeaseLapsed,
    /// The agent stops cleanly.
    Stop,
}

/// What an election wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store the role word: the new role and, for a Backup, the Active peer if it is known.
    SetRole {
        /// The new role.
        role: Role,
        /// Who is Active, if another node is and its address is known.
        active: Option<IpAddr>,
        /// Why, for the log, the events and `ha-agent why`.
        cause: Cause,
    },
    /// Send an advertisement with this priority for each family of the group (0 releases).
    SendAdvert {
        /// Priority to advertise.
        priority: u8,
    },
    /// Start announcing the group's virtual IPs.
    Announce,
    /// Stop announcing.
    StopAnnouncing,
}

/// Why a role changed. One sentence each for the operator: [`Cause::describe`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The agent started.
    Started,
    /// This node owns the addresses (priority 255).
    AddressOwner,
    /// The Active node's advertisements stopped.
    ActiveSilent {
        /// Time since its last advertisement.
        silence: core::time::Duration,
    },
    /// The Active node released the group (priority 0).
    ActiveReleased,
    /// Nobody was heard since the start.
    NobodyActive,
    /// This node has the higher priority and preempts.
    Preempting,
    /// The Active node that was preempted has let go.
    Yielded,
    /// The Active node that was preempted did not say that it let go, and the wait is over.
    YieldTimeout,
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
    /// The lease lapsed.
    LeaseLapsed,
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
            Self::AddressOwner => "address_owner",
            Self::ActiveSilent { .. } => "active_silent",
            Self::ActiveReleased => "active_released",
            Self::NobodyActive => "nobody_active",
            Self::Preempting => "preempting",
            Self::Yielded => "yielded",
            Self::YieldTimeout => "yield_timeout",
            Self::HigherPriority { .. } => "higher_priority",
            Self::OperatorPromoted => "operator_promoted",
            Self::OperatorReleased => "operator_released",
            Self::LeaseLapsed => "lease_lapsed",
            Self::Stopping => "stopping",
            Self::ActiveChanged => "active_changed",
        }
    }
}

/// An election of one group.
pub trait Election {
    /// Takes an input at `now` and returns what is to be done, in order.
    fn handle(&mut self, now: Time, input: Input) -> Vec<Command>;

    /// When the election wants [`Input::Timer`]; `None` while it waits for nothing.
    fn deadline(&self) -> Option<Time>;

    /// The role last commanded.
    fn role(&self) -> Role;
}
