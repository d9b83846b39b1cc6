//! What every election has in common: the same inputs, the same commands.

mod cause;

use core::net::IpAddr;

pub use ha_common::abi::Role;

pub use self::cause::{Cause, Refusal};
use crate::{
    time::Time,
    track::Fitness,
    vrrp::{Advertisement, Liveness, VrrpConfig},
};

/// What happens to an election of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The agent holds a lease and the group may take part.
    ///
    /// What was received before the lease was granted must never be handed in: after a pause, the
    /// acknowledgement of a claim that is long over would count for the new one.
    Start,
    /// As [`Input::Start`], by an agent that was started within the lease of the one before it, of a group
    /// for which this node stands as Active under that lease. The role is kept, and advertised at once.
    ///
    /// The lease must not have been prolonged since the agent before was last alive: until the group is
    /// advertised again, nobody may rely on it for longer than on a dead agent's.
    Resume {
        /// The priority that was in force, which a promotion may have raised.
        priority: u8,
    },
    /// The time of [`Election::deadline`] has come, and nothing that was received before it is
    /// still waiting to be handed in.
    ///
    /// The second half matters after the agent was paused: the timer that ran out meanwhile and the
    /// advertisement that would have stopped it are both due, and the advertisement comes first.
    Timer,
    /// A checked advertisement for the group's virtual router.
    Advert {
        /// The sender's address.
        from: IpAddr,
        /// Whether it was sent to this node alone, not to the multicast group. Then it answers this
        /// node's claim: the sender has let go (priority 0), or has given up a claim of its own.
        /// Unicast peers send everything so, and the election tells it apart by itself.
        direct: bool,
        /// What it says.
        advert: Advertisement,
    },
    /// The operator wants this node to be Active.
    Promote,
    /// The operator wants this node to let go, and to stay Backup while another node is Active.
    Release,
    /// The operator wants another node to be Active; this one, which is, serves until that node claims.
    HandOver {
        /// The node that is to take over, by an address from which it advertises. `None`: whichever is best,
        /// which it learns only from this node's priority.
        to: Option<IpAddr>,
    },
    /// What the operator lets this node do, until the next one; over a lapse of the lease, too.
    Duty(Duty),
    /// What liveness has found out about a peer; of a peer with several addresses, for each of them.
    Liveness {
        /// The address from which it advertises.
        peer: IpAddr,
        /// What it is now.
        state: Liveness,
    },
    /// The answer to [`Command::Ask`].
    Answer {
        /// Who was asked.
        peer: IpAddr,
        /// Whether it has the group, or claims it.
        is_active: bool,
    },
    /// The answer to [`Command::AskWitness`]. What was sent before the question must not be taken for it.
    Witnessed,
    /// What the checks make of the node: its priority, or that it may not be Active. Valid until the
    /// next one, over a lapse of the lease, too.
    Fitness(Fitness),
    /// All members of the sync group are ready ([`Machine::is_ready`](crate::vrrp::Machine::is_ready)).
    Join,
    /// Another member of the sync group has ceased to be Active.
    Leave,
    /// The kernel took the role back: it saw an advertisement that outranks this node. To be handed in
    /// when the role word is found demoted, after the advertisements that wait in the socket.
    Demoted {
        /// Priority of that advertisement.
        priority: u8,
    },
    /// The lease lapsed: the kernel has silenced the node already. Nothing may be done any more that
    /// was commanded before; the election waits for [`Input::Start`] under a new lease.
    LeaseLapsed,
    /// As [`Input::LeaseLapsed`], but the kernel ended the lease before its time: a peer that does not hear this
    /// node is about to take over, and has said so.
    GaveWay,
    /// The operator has changed the configuration: of everything but version, virtual router id and the owner's
    /// priority, which take a new election. The priority counts only with the [`Input::Fitness`] that follows.
    Reconfigure(Box<VrrpConfig>),
    /// The agent stops cleanly.
    Stop,
}

/// What the operator lets a node do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Duty {
    /// Take part.
    #[default]
    Serve,
    /// Serve only what nobody else can: the node has the lowest priority, and asks to be relieved.
    Drained,
    /// Serve nothing, once the others have had the time to take over.
    Maintenance,
}

impl Duty {
    /// The duty with this word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Serve, Self::Drained, Self::Maintenance];
        all.into_iter().find(|duty| duty.name() == name)
    }

    /// The word in the status and in the state file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Drained => "drained",
            Self::Maintenance => "maintenance",
        }
    }
}

/// What an election wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store the role word: the new role and the Active peer if it is known.
    SetRole {
        /// The new role.
        role: Role,
        /// Who is Active, if another node is and its address is known.
        active: Option<IpAddr>,
        /// Why, for the log, the events and `ha-agent why`.
        cause: Cause,
    },
    /// Send an advertisement with this priority (0 releases).
    SendAdvert {
        /// Priority to advertise.
        priority: u8,
        /// `None`: to the whole group, in each of its families: to the multicast group, or to each
        /// of the configured peers where there are some
        /// ([`Peers::Unicast`](crate::vrrp::Peers::Unicast)).
        ///
        /// `Some`: to this peer alone, in the family of its address. It tells a claimer that this
        /// node has let go or given up, or asks a Backup to take over. As this node is Backup, or about to be, the Ethernet source must be
        /// the NIC's own MAC: the virtual one would turn the switches back to this port.
        to: Option<IpAddr>,
    },
    /// Hand new work on to this node, which delivers it, and do only what has been begun; `None`: no more. A role
    /// other than Active ends it, too.
    HandOn {
        /// The heir.
        to: Option<IpAddr>,
    },
    /// Ask a living peer whether it has the group, since its advertisements do not tell.
    Ask {
        /// The peer.
        peer: IpAddr,
    },
    /// Tell a peer that it is not heard and is about to be replaced. If it hears that, it falls silent.
    TellUnheard {
        /// The peer.
        peer: IpAddr,
    },
    /// Ask the witness whether it hears this node, and go on asking until [`Input::Witnessed`] or another command
    /// to ask.
    AskWitness,
    /// Start announcing the group's virtual IPs.
    Announce,
    /// Stop announcing.
    StopAnnouncing,
    /// The operator's request was not granted, and nothing has changed.
    Refused {
        /// Why not, for the operator.
        reason: Refusal,
    },
}

/// An election of one group.
pub trait Election {
    /// Takes an input at `now` and returns what is to be done, in order.
    ///
    /// The commands are to be carried out at once. Each one that advertises, announces or takes a
    /// role other than Backup only if the lease is valid at that instant; if it has lapsed, the rest
    /// is dropped and [`Input::LeaseLapsed`] handed in instead.
    #[must_use]
    fn handle(&mut self, now: Time, input: Input) -> Vec<Command>;

    /// When the election wants [`Input::Timer`]; `None` while it waits for nothing.
    fn deadline(&self) -> Option<Time>;

    /// The role last commanded.
    fn role(&self) -> Role;

    /// The VRRP priority now in force, 0 if the election has none.
    fn priority(&self) -> u8;
}
