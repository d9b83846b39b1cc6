//! A node: its kernel, and an agent that may be dead or paused.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use fastrand::Rng;
use ha_common::fence::Standing;
use ha_core::{
    election::{Cause, Command, Duty, Election, Input, Role},
    time::Time,
    vrrp::{Liveness, Machine, Peers, VrrpConfig},
};

use crate::{kernel::Kernel, network::Message};

/// What the agent does again and again.
#[derive(Clone, Copy, Debug)]
enum Chore {
    Renew,
    Receive,
    Timer,
}

#[derive(Debug)]
struct Agent {
    machine: Machine,
    /// Generation of the lease that it believes to hold.
    generation: u8,
    renews: Time,
    paused_until: Option<Time>,
    inbox: VecDeque<Message>,
    /// What it knows of the others by its probes.
    known: HashMap<usize, Liveness>,
}

/// An advertisement to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    pub(crate) priority: u8,
    pub(crate) to: Option<std::net::IpAddr>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) config: VrrpConfig,
    pub(crate) lease: Duration,
    pub(crate) kernel: Kernel,
    pub(crate) outbox: Vec<Outgoing>,
    /// Whom the election asks whether it is Active.
    pub(crate) questions: Vec<std::net::IpAddr>,
    /// To whom it hands new work on.
    pub(crate) hands_on: Option<IpAddr>,
    /// Role changes and why, for the report of a failure.
    pub(crate) history: Vec<(Time, Role, Cause)>,
    agent: Option<Agent>,
}

impl Node {
    pub(crate) fn new(config: VrrpConfig, lease: Duration) -> Self {
        Self {
            config,
            lease,
            kernel: Kernel::default(),
            outbox: Vec::new(),
            questions: Vec::new(),
            hands_on: None,
            history: Vec::new(),
            agent: None,
        }
    }

    /// Whether it may serve if nobody else does.
    pub(crate) fn may_serve(&self) -> bool {
        let duty = self.agent.as_ref().map(|agent| agent.machine.duty());
        duty.is_some_and(|duty| duty != Duty::Maintenance)
    }

    /// Starts a new process of the agent.
    pub(crate) fn start(&mut self, now: Time) {
        if self.agent.is_none() {
            self.agent = Some(Agent {
                machine: Machine::new(self.config.clone()),
                generation: 0,
                renews: now,
                paused_until: None,
                inbox: VecDeque::new(),
                known: HashMap::new(),
            });
            self.adopt(now);
        }
    }

    /// Goes on under the lease of the agent before, if it is still valid.
    fn adopt(&mut self, now: Time) {
        let generation = self.kernel.lease.generation;
        if !self.kernel.holds(generation) {
            return self.join(now);
        }
        if let Some(agent) = &mut self.agent {
            agent.generation = generation;
            agent.renews = now + self.lease / 4;
        }
        if self.kernel.standing() == Standing::Active {
            let priority = self.kernel.priority;
            self.handle(now, Input::Resume { priority });
        } else {
            self.kernel.silence();
        }
        // Only after the advertisement: see `Input::Resume`.
        if !self.kernel.renew(now, self.lease, generation) {
            return self.rejoin(now);
        }
        self.handle(now, Input::Start);
    }

    /// The end of an agent that another one follows.
    pub(crate) fn hand_over(&mut self, now: Time) {
        let Some(agent) = self.agent.take_if(|agent| agent.paused_until.is_none()) else {
            return;
        };
        if self.kernel.holds(agent.generation) && agent.machine.role() == Role::Active {
            let priority = agent.machine.priority();
            self.outbox.push(Outgoing { priority, to: None });
        }
        self.kernel.renew(now, self.lease, agent.generation);
    }

    /// `kill -9`.
    pub(crate) fn crash(&mut self) {
        self.agent = None;
    }

    /// A clean stop.
    pub(crate) fn stop(&mut self, now: Time) {
        self.operate(now, Input::Stop);
        self.agent = None;
        self.kernel.lapse();
    }

    /// SIGSTOP, and SIGCONT at `until`.
    pub(crate) fn pause(&mut self, until: Time) {
        if let Some(agent) = &mut self.agent {
            agent.paused_until = Some(until);
        }
    }

    /// An input from outside; a paused agent does not get it.
    pub(crate) fn operate(&mut self, now: Time, input: Input) {
        if self
            .agent
            .as_ref()
            .is_some_and(|a| a.paused_until.is_none())
        {
            self.handle(now, input);
        }
    }

    /// A probe of another node was answered; what it says is handed in if it is new.
    pub(crate) fn probed(
        &mut self,
        now: Time,
        other: usize,
        state: Liveness,
        addresses: &[std::net::IpAddr],
    ) {
        let Some(agent) = self.agent.as_mut().filter(|a| a.paused_until.is_none()) else {
            return;
        };
        if agent.known.insert(other, state) == Some(state) {
            return;
        }
        for &peer in addresses {
            self.handle(now, Input::Liveness { peer, state });
        }
    }

    /// A message arrives at the socket, whether or not the agent runs.
    pub(crate) fn receive(&mut self, message: Message) {
        let is_outranked = self.is_outranked(&message);
        match &mut self.agent {
            Some(agent) => agent.inbox.push_back(message),
            None if is_outranked => self.kernel.demote(),
            None => {}
        }
    }

    /// What the data path finds, which reads advertisements whether or not an agent does.
    fn is_outranked(&self, message: &Message) -> bool {
        let is_answer = message.direct && self.config.peers == Peers::Multicast;
        let decides = match (message.from, self.config.primary.v4()) {
            (IpAddr::V4(peer), Some(own)) => own < peer,
            (IpAddr::V6(_), Some(_)) | (IpAddr::V4(_) | IpAddr::V6(_), None) => false,
        };
        let (theirs, own) = (message.advert.priority, self.kernel.priority);
        !is_answer && (own < theirs || own == theirs && decides)
    }

    /// Whether a claim was given up because its rival went on, by an agent that was not merely paused
    /// for so long.
    pub(crate) fn took_peer_for_deaf(&self) -> bool {
        let last = self.history.last();
        last.is_some_and(|(_, _, cause)| matches!(cause, Cause::NotYielding { .. }))
    }

    /// When something is to be done at the latest.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let agent = self.agent.as_ref().map(|agent| match agent.paused_until {
            Some(until) => until,
            None => agent
                .machine
                .deadline()
                .map_or(agent.renews, |timer| timer.min(agent.renews)),
        });
        agent.into_iter().chain(self.kernel.lapses).min()
    }

    /// Does what is due, in an order that chance decides.
    pub(crate) fn run(&mut self, rng: &mut Rng, now: Time) {
        if self.kernel.lapses.is_some_and(|lapses| lapses <= now) {
            self.kernel.lapse();
        }
        let Some(agent) = &mut self.agent else {
            return;
        };
        if agent.paused_until.is_some_and(|until| now < until) {
            return;
        }
        agent.paused_until = None;
        let mut chores = [Chore::Renew, Chore::Receive, Chore::Timer];
        if self.config.contention.is_zero() {
            // What has come goes before the timer, as `Input::Timer` demands.
            let renew = rng.usize(0..3);
            chores[..=renew].rotate_left(1);
        } else {
            rng.shuffle(&mut chores);
        }
        for chore in chores {
            match chore {
                Chore::Renew => self.renew(now),
                Chore::Receive => self.read(now),
                Chore::Timer => self.handle(now, Input::Timer),
            }
        }
    }

    fn renew(&mut self, now: Time) {
        let Some(agent) = &mut self.agent else {
            return;
        };
        if agent.renews <= now {
            agent.renews = now + self.lease / 4;
            if !self.kernel.renew(now, self.lease, agent.generation) {
                self.rejoin(now);
            }
        }
    }

    fn read(&mut self, now: Time) {
        while let Some(message) = self.agent.as_mut().and_then(|a| a.inbox.pop_front()) {
            self.handle(
                now,
                Input::Advert {
                    from: message.from,
                    direct: message.direct,
                    advert: message.advert,
                },
            );
        }
    }

    fn join(&mut self, now: Time) {
        if let Some(agent) = &mut self.agent {
            agent.generation = self.kernel.grant(now, self.lease);
            agent.renews = now + self.lease / 4;
            agent.inbox.clear();
            self.handle(now, Input::Start);
        }
    }

    fn rejoin(&mut self, now: Time) {
        self.handle(now, Input::LeaseLapsed);
        self.join(now);
    }

    fn handle(&mut self, now: Time, input: Input) {
        let Some(agent) = &mut self.agent else {
            return;
        };
        let generation = agent.generation;
        let commands = agent.machine.handle(now, input);
        self.kernel.priority = agent.machine.priority();
        for command in commands {
            if needs_lease(&command) && !self.kernel.holds(generation) {
                return self.rejoin(now);
            }
            match command {
                Command::SetRole { role, cause, .. } => {
                    self.kernel.store(role, generation);
                    if role != Role::Active {
                        self.hands_on = None;
                    }
                    self.history.push((now, role, cause));
                }
                Command::SendAdvert { priority, to } => {
                    self.outbox.push(Outgoing { priority, to });
                }
                Command::Ask { peer } => self.questions.push(peer),
                Command::HandOn { to } => self.hands_on = to,
                // On this network nobody is lost.
                Command::TellUnheard { .. }
                | Command::AskWitness
                | Command::Announce
                | Command::StopAnnouncing
                | Command::Refused { .. } => {}
            }
        }
    }
}

/// The daemon looks at the kernel's lease before it does what only a living owner may do.
fn needs_lease(command: &Command) -> bool {
    match command {
        Command::SetRole { role, .. } => match role {
            Role::Backup => false,
            Role::Claiming | Role::Active => true,
        },
        Command::SendAdvert { .. } | Command::TellUnheard { .. } | Command::Announce => true,
        Command::Ask { .. }
        | Command::AskWitness
        | Command::HandOn { .. }
        | Command::StopAnnouncing
        | Command::Refused { .. } => false,
    }
}
