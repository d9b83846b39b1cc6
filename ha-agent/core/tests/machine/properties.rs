//! What holds whatever is put in, in whatever order.

use std::{net::IpAddr, time::Duration};

use ha_core::{
    election::{Cause, Command, Duty, Election, Input, Role},
    time::Time,
    track::Fitness,
    vrrp::{Liveness, Machine, Peers, Primary, VrrpConfig},
};
use proptest::prelude::*;

use crate::bench::{GREATER, LESSER, OWN, V6_PEER, advert_every, at, config, direct};

fn any_input() -> impl Strategy<Value = Input> {
    let peer = prop::sample::select(&[GREATER, LESSER, V6_PEER, IpAddr::V4(OWN)][..]);
    let liveness = prop::sample::select(&[Liveness::Up, Liveness::Lost, Liveness::Down][..]);
    let priority = prop_oneof![Just(0), Just(100), Just(255), any::<u8>()];
    prop_oneof![
        6 => Just(Input::Timer),
        2 => Just(Input::Start),
        1 => any::<u8>().prop_map(|priority| Input::Resume { priority }),
        8 => (peer.clone(), priority.clone(), 1..200_u16)
            .prop_map(|(from, priority, interval)| advert_every(from, priority, interval)),
        2 => (peer.clone(), priority).prop_map(|(from, priority)| direct(from, priority)),
        1 => Just(Input::Promote),
        1 => Just(Input::Release),
        1 => prop::option::of(peer.clone()).prop_map(|to| Input::HandOver { to }),
        1 => prop::sample::select(&[Duty::Serve, Duty::Drained, Duty::Maintenance][..])
            .prop_map(Input::Duty),
        1 => Just(Input::LeaseLapsed),
        1 => Just(Input::GaveWay),
        1 => Just(Input::Stop),
        1 => (1_u8..).prop_map(|priority| Input::Fitness(Fitness::Eligible { priority })),
        1 => Just(Input::Fitness(Fitness::Faulty { check: 0 })),
        1 => any::<u8>().prop_map(|priority| Input::Demoted { priority }),
        3 => (peer.clone(), liveness).prop_map(|(peer, state)| Input::Liveness { peer, state }),
        3 => (peer, any::<bool>())
            .prop_map(|(peer, is_active)| Input::Answer { peer, is_active }),
        3 => Just(Input::Witnessed),
        1 => Just(Input::Join),
        1 => Just(Input::Leave),
        1 => any_config().prop_map(|config| Input::Reconfigure(Box::new(config))),
    ]
}

fn any_config() -> impl Strategy<Value = VrrpConfig> {
    let families = prop::sample::select(
        &[
            Primary::V4(OWN),
            Primary::Dual(OWN, std::net::Ipv6Addr::LOCALHOST),
        ][..],
    );
    let peers = prop::sample::select(vec![
        Peers::Multicast,
        Peers::Unicast([GREATER].into()),
        Peers::Unicast([GREATER, LESSER, V6_PEER].into()),
    ]);
    let delay = || prop_oneof![Just(0), 0..20_000_u64].prop_map(Duration::from_millis);
    let delays = (0..300_u64, delay(), delay());
    let choices = (any::<bool>(), any::<bool>(), any::<bool>());
    (1_u8.., choices, families, peers, delays).prop_map(
        |(
            priority,
            (preempt, is_synced, needs_witness),
            primary,
            peers,
            (millis, preempt_delay, startup_delay),
        )| VrrpConfig {
            priority: priority.try_into().expect("it is not zero"),
            preempt,
            primary,
            peers,
            preempt_delay,
            startup_delay,
            contention: Duration::from_millis(millis.saturating_sub(100)),
            is_synced,
            needs_witness,
            ..config()
        },
    )
}

/// For how long an answer of the witness counts.
const WITNESS_COUNTS: Duration = Duration::from_millis(25);

/// Whether a node takes over from one that has not said that it let go.
fn presumes_death(commands: &[Command]) -> bool {
    commands.iter().any(|command| {
        matches!(
            command,
            Command::SetRole {
                role: Role::Claiming | Role::Active,
                cause: Cause::ActiveLost | Cause::ActiveSilent { .. } | Cause::NobodyActive,
                ..
            }
        )
    })
}

/// Compares the commands with the roles before and after them.
fn check(before: Role, machine: &Machine, commands: &[Command]) -> Result<(), TestCaseError> {
    let mut role = before;
    let mut left_active = false;
    for (place, command) in commands.iter().enumerate() {
        match command {
            Command::SetRole { role: new, .. } => {
                prop_assert_eq!(place, 0, "the role comes first");
                left_active = role == Role::Active && *new != Role::Active;
                role = *new;
            }
            Command::SendAdvert {
                priority: 0,
                to: None,
            } => {
                prop_assert!(left_active, "only the owner releases");
            }
            Command::SendAdvert { priority, to: None } => {
                prop_assert!(role != Role::Backup, "a Backup is silent");
                prop_assert_eq!(*priority, machine.priority());
            }
            Command::SendAdvert {
                priority,
                to: Some(_),
            } if role == Role::Active => {
                prop_assert!(machine.hands_over(), "only who hands over asks");
                prop_assert_eq!(*priority, 1);
            }
            Command::SendAdvert {
                priority: 0,
                to: Some(_),
            } if role == Role::Claiming => {
                prop_assert!(!left_active, "it tells the owner that it is ready");
            }
            Command::HandOn { to: Some(_) } => {
                prop_assert!(machine.hands_over(), "only who hands over has an heir");
            }
            Command::HandOn { to: None } => {
                prop_assert!(
                    role == Role::Active || left_active,
                    "only an owner hands on"
                );
            }
            Command::SendAdvert {
                priority,
                to: Some(_),
            } => {
                prop_assert_eq!(role, Role::Backup, "who gives way has done so");
                prop_assert_eq!(*priority == 0, left_active, "only the owner acknowledges");
            }
            Command::Ask { .. } => prop_assert!(role != Role::Active, "an owner knows"),
            Command::AskWitness => prop_assert_eq!(role, Role::Backup, "before it takes over"),
            Command::TellUnheard { .. } => {
                prop_assert!(role != Role::Backup, "who gives up tells nothing");
            }
            Command::Announce => {
                prop_assert_eq!(role, Role::Active);
                prop_assert_eq!(place, commands.len() - 1, "after the advertisement");
            }
            Command::StopAnnouncing => prop_assert!(left_active),
            Command::Refused { .. } => prop_assert_eq!(commands.len(), 1),
        }
    }
    let stops = commands.contains(&Command::StopAnnouncing);
    prop_assert_eq!(stops, left_active, "who leaves stops to announce");
    prop_assert_eq!(role, machine.role(), "the role is what was commanded");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn commands_and_timers_are_consistent(
        config in any_config(),
        inputs in prop::collection::vec((any_input(), 0..2_000_u64, any::<bool>()), 1..60),
    ) {
        let mut config = config;
        let mut machine = Machine::new(config.clone());
        let mut now = Time::default();
        let mut base = config.priority.get();
        let mut is_fit = true;
        let mut duty = Duty::Serve;
        let mut witnessed: Option<Time> = None;
        for (input, wait, until_deadline) in inputs {
            now = match machine.deadline() {
                Some(deadline) if until_deadline => deadline.max(now),
                Some(_) | None => now + Duration::from_millis(wait),
            };
            let before = machine.role();
            let is_timer = input == Input::Timer;
            if input == Input::Witnessed {
                witnessed = Some(now);
            }
            let is_asked = matches!(&input, Input::Advert { advert, .. } if advert.priority == 1);
            let is_told = is_asked && matches!(&input, Input::Advert { direct: true, .. });
            let may_rise =
                is_told || !config.is_synced || matches!(input, Input::Join | Input::Promote | Input::Resume { .. });
            let rose_by_promotion = input == Input::Promote;
            match input {
                Input::Fitness(Fitness::Faulty { .. }) => is_fit = false,
                Input::Fitness(Fitness::Eligible { priority }) => {
                    is_fit = true;
                    base = priority;
                }
                Input::Duty(new) => duty = new,
                Input::Reconfigure(ref new) => config = VrrpConfig::clone(new),
                Input::HandOver { .. }
                | Input::Liveness { .. }
                | Input::Answer { .. }
                | Input::Witnessed
                | Input::Start
                | Input::Resume { .. }
                | Input::Timer
                | Input::Advert { .. }
                | Input::Promote
                | Input::Release
                | Input::Demoted { .. }
                | Input::Join
                | Input::Leave
                | Input::LeaseLapsed
                | Input::GaveWay
                | Input::Stop => {}
            }
            let commands = machine.handle(now, input);
            check(before, &machine, &commands)?;
            if config.needs_witness && before == Role::Backup && presumes_death(&commands) {
                let is_recent = witnessed.is_some_and(|at| now.since(at) < WITNESS_COUNTS);
                prop_assert!(is_recent, "the witness has not answered");
            }
            if is_timer && let Some(deadline) = machine.deadline() {
                prop_assert!(deadline > now, "the timer must not fire for ever");
            }
            let least = match duty {
                Duty::Serve => base,
                Duty::Drained | Duty::Maintenance => 1,
            };
            if before == Role::Backup && machine.role() != Role::Backup {
                let is_barred = duty == Duty::Maintenance
                    || duty == Duty::Drained && is_asked && !rose_by_promotion;
                prop_assert!(!is_barred, "the operator has forbidden it");
            }
            match machine.role() {
                Role::Backup => prop_assert_eq!(machine.priority(), least),
                Role::Claiming | Role::Active => {
                    prop_assert!(machine.deadline().is_some());
                    prop_assert!(is_fit, "a check has failed");
                    prop_assert!(may_rise || before != Role::Backup, "the members are not ready");
                }
            }
            if machine.hands_over() {
                prop_assert_eq!((machine.role(), machine.priority()), (Role::Active, 1));
            } else {
                prop_assert!(machine.priority() >= least);
            }
        }
    }

    #[test]
    fn what_is_far_in_the_future_does_not_overflow(inputs in prop::collection::vec(any_input(), 1..20)) {
        let mut machine = Machine::new(config());
        let now = at(Duration::MAX);
        let _ = machine.handle(now, Input::Start);
        for input in inputs {
            let _ = machine.handle(now, input);
        }
    }
}
