//! A virtual router on the bench: states to start from, inputs to give, commands to expect.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU8,
    time::Duration,
};

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    time::Time,
    vrrp::{Addresses, Advertisement, Centiseconds, Machine, Peers, Primary, Version, VrrpConfig},
};

const VRID: NonZeroU8 = match NonZeroU8::new(51) {
    Some(vrid) => vrid,
    None => panic!("51 is not zero"),
};

pub(crate) const OWN: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);
/// A peer that loses a tie.
pub(crate) const LESSER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 4));
/// A peer that wins a tie; with unsigned comparison only.
pub(crate) const GREATER: IpAddr = IpAddr::V4(Ipv4Addr::new(200, 0, 0, 6));
pub(crate) const V6_PEER: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9));

pub(crate) const PRIORITY: u8 = 100;
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
pub(crate) const GRACE: Duration = Duration::from_millis(200);
/// (256 - 100) / 256 s.
pub(crate) const SKEW: Duration = Duration::from_micros(609_375);
pub(crate) const DOWN: Duration = Duration::from_micros(3_609_375);

pub(crate) fn config() -> VrrpConfig {
    VrrpConfig {
        version: Version::V3,
        vrid: VRID,
        priority: PRIORITY.try_into().expect("it is not zero"),
        advert_interval: Centiseconds::DEFAULT,
        preempt: true,
        preempt_delay: Duration::ZERO,
        startup_delay: Duration::ZERO,
        primary: Primary::V4(OWN),
        peers: Peers::Multicast,
        yield_grace: GRACE,
        contention: Duration::ZERO,
        settle: Duration::ZERO,
        loss_grace: Duration::ZERO,
        silent_grace: Duration::ZERO,
        needs_witness: false,
        is_pair: false,
        is_synced: false,
    }
}

pub(crate) fn at(since: Duration) -> Time {
    Time::from_origin(since)
}

pub(crate) fn advertisement(priority: u8) -> Advertisement {
    Advertisement {
        version: Version::V3,
        vrid: VRID,
        priority,
        max_advert_interval: Centiseconds::DEFAULT,
        addresses: Addresses::V4(vec![Ipv4Addr::new(192, 0, 2, 10)]),
    }
}

pub(crate) fn advert(from: IpAddr, priority: u8) -> Input {
    Input::Advert {
        from,
        direct: false,
        advert: advertisement(priority),
    }
}

pub(crate) fn direct(from: IpAddr, priority: u8) -> Input {
    Input::Advert {
        from,
        direct: true,
        advert: advertisement(priority),
    }
}

/// An advertisement of a peer with another interval than one's own.
pub(crate) fn advert_every(from: IpAddr, priority: u8, centiseconds: u16) -> Input {
    Input::Advert {
        from,
        direct: false,
        advert: Advertisement {
            max_advert_interval: Centiseconds::new(centiseconds).expect("it is an interval"),
            ..advertisement(priority)
        },
    }
}

pub(crate) const fn set_role(role: Role, active: Option<IpAddr>, cause: Cause) -> Command {
    Command::SetRole {
        role,
        active,
        cause,
    }
}

pub(crate) const fn send(priority: u8) -> Command {
    Command::SendAdvert { priority, to: None }
}

pub(crate) const fn send_to(to: IpAddr, priority: u8) -> Command {
    Command::SendAdvert {
        priority,
        to: Some(to),
    }
}

/// What a node does that becomes Active.
pub(crate) fn activation(priority: u8, cause: Cause) -> Vec<Command> {
    vec![
        set_role(Role::Active, None, cause),
        send(priority),
        Command::Announce,
    ]
}

/// What a node does that begins to claim.
pub(crate) fn claim(priority: u8, over: Option<IpAddr>, cause: Cause) -> Vec<Command> {
    vec![set_role(Role::Claiming, over, cause), send(priority)]
}

/// Started at the origin of time.
pub(crate) fn backup(config: VrrpConfig) -> Machine {
    let mut machine = Machine::new(config);
    let commands = machine.handle(Time::default(), Input::Start);
    assert_eq!(commands, [set_role(Role::Backup, None, Cause::Started)]);
    machine
}

/// Claims since `at(DOWN)` from [`LESSER`], which was heard a second before.
pub(crate) fn claiming(config: VrrpConfig) -> Machine {
    let mut machine = backup(config);
    let _ = machine.handle(at(DOWN - INTERVAL), advert(LESSER, 50));
    let commands = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(commands, claim(PRIORITY, Some(LESSER), Cause::Preempting));
    machine
}

/// Active since `at(DOWN + GRACE)`, as nobody else was heard.
pub(crate) fn active(config: VrrpConfig) -> Machine {
    let mut machine = backup(config);
    let commands = machine.handle(at(DOWN), Input::Timer);
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
    let commands = machine.handle(at(DOWN + GRACE), Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::NobodyActive));
    machine
}

/// One row of a table: an input, the commands, and the role and deadline after it.
pub(crate) type Row = (&'static str, Input, Vec<Command>, Role, Option<Time>);

/// Gives each input at `now` to a machine in the same state.
pub(crate) fn check(state: &Machine, now: Time, table: Vec<Row>) {
    for (name, input, commands, role, deadline) in table {
        let mut machine = state.clone();
        assert_eq!(machine.handle(now, input), commands, "{name}: commands");
        assert_eq!(machine.role(), role, "{name}: role");
        assert_eq!(machine.deadline(), deadline, "{name}: deadline");
    }
}
