//! The state machine of a virtual router: RFC 9568 section 6.4, and the hand-over between live nodes.
//!
//! ```text
//!              Start                        silence or release
//!  Initialize ───────► Backup ─────────────────────────────────────────► Active
//!      ▲                │  ▲ │                                            ▲  │
//!      │ lease lapsed,  │  │ └──► Claiming ──── the others let go ────────┘  │
//!      └── Stop ────────┘  │  live    │                                      │
//!          (from all)      └──────────┴──────────── a better advertisement ──┘
//! ```
//!
//! What goes beyond the RFC, whose routers do not notice it:
//!
//! * A node that takes over while another one still advertises is first *Claiming*: it advertises
//!   like an Active one, but answers nobody. The other, on hearing that it is outranked, falls silent
//!   and acknowledges with an advertisement of priority 0 to the claimer alone. Then the claimer is
//!   Active. Between two nodes of ours there is never a moment with two answers.
//! * The acknowledgement is not multicast: to another Backup it would be a release and shorten its
//!   timer, and of two claimers both could take it as theirs.
//! * A claimer that is outranked gives way with an advertisement of its own priority to the better one
//!   alone. It must not be mistaken for an acknowledgement: the owner, whom neither of them may have
//!   heard yet, can be paused and still have its lease.
//! * A claimer that stops says nothing, for the same reason: it has nothing to release.
//! * A claimer counts every advertiser it has heard, and waits until none is left. Without
//!   acknowledgement it goes on when all have been silent for `yield_grace`. If one keeps
//!   advertising, it is deaf to the claimer: two Active nodes would be the result, so the
//!   claimer gives up and tries again later.
//! * Two Backups that come to take over at the same moment claim first, too (`contention`), and so
//!   does a Backup that does not know for sure that the Active node was another one.
//! * A node that was released does not preempt; and a promoted one advertises one more than the
//!   priority it has to beat, until it yields, is released or stops.
//! * Unicast peers send everything to this node alone. A claimer that has one peer takes its priority 0
//!   for the acknowledgement; one that has several cannot tell it from a release, treats it as that, and
//!   waits for its turn. Who gives way to a better claimer does so in silence.
//! * An Active node that the operator wants to hand over goes on serving, with priority 1, and asks the heir by an
//!   advertisement to it alone. A Backup that is asked, or hears the Active node fall to priority 1, claims at
//!   once, whether or not it would preempt. So the heir is ready before anybody lets go. If nobody claims, the
//!   owner goes back to its priority.
//! * An heir that was asked alone delivers what reaches it, says so with a priority 0 to the owner alone, and claims only
//!   after `settle`. Meanwhile the owner hands on what is new and finishes what it has begun: see [`settle`].
//! * A drained node has priority 1 and does not preempt; while it is Active it goes on asking.
//! * A node whose checks fail lets go and is Backup, takes over from nobody, and goes on listening: its
//!   stale traffic still finds its way.
//! * A member of a sync group that comes to take over only says that it is ready, until all are.
//! * Where liveness is watched, a peer that is lost or whose lease has lapsed is replaced at once; one that
//!   lives is not replaced because its advertisements do not arrive, unless it denies that it is Active.
//!   A lost peer is told that it is not heard, and replaced when it must have fallen silent.
//! * A peer that fell silent when it did not answer any more, but still asked, is not known to be dead, and cannot be
//!   told: its missing advertisements decide, as where liveness is not watched.
//! * Where a witness is needed, a Backup takes over from a node that it merely does not hear only when the
//!   witness has just answered.
//! * A node whose agent was started again within its lease resumes: from Initialize it is Active at once.
//!   To the others it is one whose agent stood still for a moment.
//! * A configuration that changes while the election goes on is told at once. An Active node whose interval is
//!   raised keeps to the old one for some advertisements, which tell the new one: no single loss makes it silent.
//! * A group with both families has one machine. Priorities are compared in either family, addresses
//!   only in IPv4: the order of the link-local addresses may be the opposite one, and each node
//!   would then yield to the other.

mod active;
mod backup;
mod claiming;
mod duty;
mod fitness;
mod hand_over;
mod lifecycle;
mod operator;
mod rank;
mod reconfigure;
mod settle;
mod silence;
mod together;
mod watch;
mod witness;

use core::{net::IpAddr, time::Duration};

use ha_common::wire::vrrp::PRIORITY_RELEASE;

use self::{active::Active, backup::Backup, claiming::Claim, reconfigure::Eager};
use super::{
    alive::Alive,
    config::VrrpConfig,
    packet::Advertisement,
    peers::{Advertisers, Peer},
};
use crate::{
    election::{Cause, Command, Duty, Election, Input, Role},
    time::Time,
};

/// One virtual router on one node.
#[derive(Clone, Debug)]
pub struct Machine {
    config: VrrpConfig,
    /// What the checks make of the configured priority.
    weighed: u8,
    /// `weighed`, or the lowest while the operator wants others to serve.
    base: u8,
    /// `base`, or a higher one since the operator promoted this node, or the lowest while it hands over.
    priority: u8,
    /// Whether the checks let it be Active.
    passes_checks: bool,
    /// Whether checks and operator let it be Active.
    is_fit: bool,
    duty: Duty,
    /// The interval has been raised, and not everybody may know.
    eager: Option<Eager>,
    hold: Hold,
    /// When `startup_delay` is over; `None` before the first start.
    startup_ends: Option<Time>,
    peers: Advertisers,
    alive: Alive,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Initialize,
    Backup(Backup),
    Claiming(Claim),
    Active(Active),
}

/// Whether something other than the configuration forbids to preempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    None,
    /// The operator released the group here.
    Operator,
    /// The Active node did not hear the last claim.
    Until(Time),
}

impl Machine {
    /// A virtual router that waits for [`Input::Start`].
    #[must_use]
    pub fn new(config: VrrpConfig) -> Self {
        Self {
            weighed: config.priority.get(),
            base: config.priority.get(),
            priority: config.priority.get(),
            passes_checks: true,
            is_fit: true,
            duty: Duty::Serve,
            eager: None,
            config,
            hold: Hold::None,
            startup_ends: None,
            peers: Advertisers::default(),
            alive: Alive::default(),
            state: State::Initialize,
        }
    }

    /// Its configuration.
    #[must_use]
    pub const fn config(&self) -> &VrrpConfig {
        &self.config
    }

    fn timer(&mut self, now: Time) -> Vec<Command> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Vec::new();
        }
        self.expire_peers(now);
        match self.state {
            State::Initialize => Vec::new(),
            State::Backup(backup) => self.backup_timer(backup, now),
            State::Claiming(claim) => self.claiming_timer(claim, now),
            State::Active(active) => self.serving_timer(active, now),
        }
    }

    fn advert(&mut self, now: Time, heard: &Heard<'_>) -> Vec<Command> {
        if !self.concerns(heard.from) {
            return Vec::new();
        }
        let heard = &Heard {
            direct: heard.direct && self.is_answer(heard.advert.priority),
            ..*heard
        };
        self.expire_peers(now);
        match self.state {
            State::Initialize => Vec::new(),
            State::Backup(backup) => self.backup_advert(backup, now, heard),
            State::Claiming(claim) => self.claiming_advert(claim, now, heard),
            State::Active(_) => self.active_advert(now, heard),
        }
    }

    fn advertise(&self) -> Command {
        Command::SendAdvert {
            priority: self.priority,
            to: None,
        }
    }

    /// Takes note of an advertiser. Its life is reckoned by the priority with which this node would be
    /// its Backup.
    fn note(&mut self, now: Time, heard: &Heard<'_>) -> Peer {
        self.peers.note(now, self.base, heard.from, heard.advert)
    }

    fn fresh_backup(&self, now: Time) -> Backup {
        Backup::new(now, now + self.own_active_down(), &self.config)
    }

    /// A fresh Backup that knows who is Active.
    fn following_backup(&self, now: Time) -> Backup {
        let mut backup = self.fresh_backup(now);
        if let Some(best) = self.peers.best() {
            backup.follow(best);
        }
        backup
    }

    fn expire_peers(&mut self, now: Time) {
        let alive = &self.alive;
        self.peers.expire(now, |peer| alive.is_up(peer));
    }

    fn own_active_down(&self) -> Duration {
        let version = self.config.version;
        version.active_down_interval(self.base, self.config.advert_interval)
    }
}

impl Election for Machine {
    fn handle(&mut self, now: Time, input: Input) -> Vec<Command> {
        match input {
            Input::Start => match self.state {
                State::Initialize => self.start(now),
                State::Backup(_) | State::Claiming(_) | State::Active(_) => Vec::new(),
            },
            Input::Resume { priority } => match self.state {
                State::Initialize => self.resume(now, priority),
                State::Backup(_) | State::Claiming(_) | State::Active(_) => Vec::new(),
            },
            Input::Timer => self.timer(now),
            Input::Advert {
                from,
                direct,
                advert,
            } => self.advert(
                now,
                &Heard {
                    from,
                    direct,
                    advert: &advert,
                },
            ),
            Input::Promote => self.promote(now),
            Input::Release => self.release(now),
            Input::HandOver { to } => self.hand_over(now, to),
            Input::Duty(duty) => self.set_duty(now, duty),
            Input::Liveness { peer, state } => self.liveness(now, peer, state),
            Input::Answer { peer, is_active } => self.answer(now, peer, is_active),
            Input::Witnessed => self.witnessed(now),
            Input::Fitness(fitness) => self.weigh(now, fitness),
            Input::Join => self.join(now),
            Input::Leave => self.leave(now),
            Input::Demoted { priority } => self.demoted(now, priority),
            Input::LeaseLapsed => self.lapse(Cause::LeaseLapsed),
            Input::GaveWay => self.lapse(Cause::GaveWay),
            Input::Reconfigure(config) => self.reconfigure(now, *config),
            Input::Stop => self.stop(),
        }
    }

    fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Initialize => None,
            State::Backup(backup) => Some(backup.down.max(self.startup_ends.unwrap_or_default())),
            State::Claiming(claim) => Some(self.claim_deadline(&claim)),
            State::Active(active) => Some(active.deadline()),
        }
    }

    fn role(&self) -> Role {
        match self.state {
            State::Initialize | State::Backup(_) => Role::Backup,
            State::Claiming(_) => Role::Claiming,
            State::Active(_) => Role::Active,
        }
    }

    fn priority(&self) -> u8 {
        self.priority
    }
}

/// An advertisement and how it came.
#[derive(Clone, Copy, Debug)]
struct Heard<'a> {
    from: IpAddr,
    direct: bool,
    advert: &'a Advertisement,
}

const fn let_go() -> Command {
    Command::SendAdvert {
        priority: PRIORITY_RELEASE,
        to: None,
    }
}
