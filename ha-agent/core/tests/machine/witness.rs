//! The witness without which nobody is presumed dead.

use std::time::Duration;

use ha_core::{
    election::{Cause, Command, Election, Input, Role},
    time::Time,
    vrrp::{Liveness, Machine, VrrpConfig},
};

use crate::bench::{
    DOWN, GREATER, INTERVAL, LESSER, PRIORITY, activation, advert, at, backup, claim, config,
    set_role,
};

const AGAIN: Duration = Duration::from_millis(25);
const LOSS: Duration = Duration::from_millis(3);

fn witnessed() -> VrrpConfig {
    VrrpConfig {
        loss_grace: LOSS,
        is_pair: true,
        needs_witness: true,
        ..config()
    }
}

/// Follows [`GREATER`], which was last heard at `at(INTERVAL * 2)`.
fn following(config: VrrpConfig) -> Machine {
    let mut machine = backup(config);
    for n in 1..=2 {
        let _ = machine.handle(at(INTERVAL * n), advert(GREATER, 200));
    }
    machine
}

/// The Active node was lost at `at(INTERVAL * 2 + LOSS)`.
fn asking(config: VrrpConfig) -> (Machine, Time) {
    let mut machine = following(config);
    let now = at(INTERVAL * 2 + LOSS);
    let lost = Input::Liveness {
        peer: GREATER,
        state: Liveness::Lost,
    };
    assert_eq!(machine.handle(now, lost), [Command::AskWitness]);
    assert_eq!(machine.role(), Role::Backup);
    (machine, now)
}

#[test]
fn a_lost_node_is_told_and_replaced_when_the_witness_has_answered() {
    let (mut machine, now) = asking(witnessed());
    let mut expected = claim(PRIORITY, None, Cause::ActiveLost);
    expected.insert(1, Command::TellUnheard { peer: GREATER });
    assert_eq!(machine.handle(now, Input::Witnessed), expected);
    let commands = machine.handle(now + LOSS, Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveLost));
}

#[test]
fn without_an_answer_nobody_is_replaced_and_the_operator_is_told_once() {
    let (mut machine, now) = asking(witnessed());
    let told = set_role(Role::Backup, None, Cause::NoWitness);
    let commands = machine.handle(now + AGAIN, Input::Timer);
    assert_eq!(commands, [told, Command::AskWitness]);
    for n in 2..20 {
        let commands = machine.handle(now + AGAIN * n, Input::Timer);
        assert_eq!(commands, [Command::AskWitness]);
    }
    // The link comes back: who could not be heard may be heard now.
    let back = now + AGAIN * 20;
    assert_eq!(machine.handle(back, Input::Witnessed), []);
    assert_eq!(machine.deadline(), Some(back + DOWN));
    let mut heard = machine.clone();
    let _ = heard.handle(back, advert(GREATER, 200));
    assert_eq!(
        heard.handle(back + DOWN, Input::Timer),
        [Command::AskWitness]
    );
    // Or the other node has died meanwhile.
    let commands = machine.handle(back + DOWN, Input::Timer);
    assert_eq!(commands, [Command::AskWitness]);
    let commands = machine.handle(back + DOWN, Input::Witnessed);
    assert_eq!(
        commands[0],
        set_role(Role::Claiming, None, Cause::ActiveLost)
    );
}

#[test]
fn what_comes_in_between_does_not_make_the_witness_missing() {
    let mut machine = backup(witnessed());
    let peers = [GREATER, LESSER];
    for peer in peers {
        let state = Liveness::Up;
        let _ = machine.handle(at(INTERVAL), Input::Liveness { peer, state });
    }
    let _ = machine.handle(at(DOWN), Input::Timer);
    let denied = |peer| Input::Answer {
        peer,
        is_active: false,
    };
    assert_eq!(machine.handle(at(DOWN), denied(GREATER)), []);
    let commands = machine.handle(at(DOWN), denied(LESSER));
    assert_eq!(commands, [Command::AskWitness]);
    for peer in peers {
        assert_eq!(machine.handle(at(DOWN + LOSS), denied(peer)), []);
    }
    assert_eq!(machine.deadline(), Some(at(DOWN) + AGAIN));
    let commands = machine.handle(at(DOWN + LOSS), Input::Witnessed);
    assert_eq!(commands, claim(PRIORITY, None, Cause::NobodyActive));
}

#[test]
fn a_silent_node_too() {
    let mut machine = following(witnessed());
    let silent = machine.deadline().expect("a Backup waits");
    assert_eq!(machine.handle(silent, Input::Timer), [Command::AskWitness]);
    let commands = machine.handle(silent, Input::Witnessed);
    let silence = DOWN;
    let cause = Cause::ActiveSilent { silence };
    assert_eq!(commands, activation(PRIORITY, cause));
}

#[test]
fn who_says_itself_that_it_let_go_needs_no_witness() {
    let now = at(INTERVAL * 2 + LOSS);
    let mut machine = following(witnessed());
    let down = Input::Liveness {
        peer: GREATER,
        state: Liveness::Down,
    };
    let commands = machine.handle(now, down);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveDown));
    let mut machine = following(witnessed());
    let _ = machine.handle(now, advert(GREATER, 0));
    let commands = machine.handle(now, Input::Timer);
    assert_eq!(commands, activation(PRIORITY, Cause::ActiveReleased));
}

#[test]
fn an_advertisement_ends_the_question() {
    let (mut machine, now) = asking(witnessed());
    let _ = machine.handle(now, advert(GREATER, 200));
    assert_eq!(machine.handle(now, Input::Witnessed), []);
    assert_eq!(machine.role(), Role::Backup);
}

#[test]
fn an_answer_that_was_not_asked_for_changes_nothing() {
    let mut machine = following(witnessed());
    assert_eq!(machine.handle(at(INTERVAL * 2), Input::Witnessed), []);
    let (mut machine, _) = asking(witnessed());
    let _ = machine.handle(at(INTERVAL * 3), Input::Stop);
    assert_eq!(machine.handle(at(INTERVAL * 3), Input::Witnessed), []);
}

#[test]
fn the_owner_of_the_addresses_asks_too_before_it_presumes() {
    let mut owner = witnessed();
    owner.priority = 255.try_into().expect("it is not zero");
    let mut machine = backup(owner);
    let timer = machine.deadline().expect("a Backup waits");
    assert_eq!(machine.handle(timer, Input::Timer), [Command::AskWitness]);
}

#[test]
fn a_member_of_a_sync_group_is_ready_when_it_has_its_answer() {
    let mut member = witnessed();
    member.is_synced = true;
    let mut machine = following(member);
    let now = at(INTERVAL * 2 + LOSS);
    let lost = Input::Liveness {
        peer: GREATER,
        state: Liveness::Lost,
    };
    assert_eq!(machine.handle(now, lost), []);
    assert!(machine.is_ready());
    assert_eq!(machine.handle(now, Input::Join), [Command::AskWitness]);
    assert!(!machine.is_ready(), "it waits for something else now");
    assert_eq!(machine.handle(now, Input::Witnessed), []);
    assert!(machine.is_ready());
    let commands = machine.handle(now, Input::Join);
    assert_eq!(
        commands[0],
        set_role(Role::Claiming, None, Cause::ActiveLost)
    );
}
