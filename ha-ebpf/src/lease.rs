//! The lease: the agent's dead-man's switch. See `docs/architecture.md`.
//!
//! Who writes what keeps it safe. Only a grant makes the lease valid, and under a new generation,
//! for which no role word can exist before the agent has read the reply. A renewal only re-arms the
//! timer. So whatever a renewal races with, a lapsed lease stays lapsed.

use ha_common::lease::{LeaseState, LeaseWord, Operation, Reply, Request};

use crate::{events, maps::Maps, packet::Packet};

/// Takes a request of the agent: the first octets of the frame.
#[inline(always)]
pub(crate) fn operate(packet: &Packet, maps: &mut Maps) -> Reply {
    let Some(&request) = packet.get::<Request>(0) else {
        return Reply::Invalid;
    };
    let Some(operation) = Operation::from_u8(request.operation) else {
        return Reply::Invalid;
    };
    let length_ns = u64::from_le_bytes(request.length_ns);
    match operation {
        Operation::Grant | Operation::Renew if length_ns == 0 => Reply::Invalid,
        Operation::Grant => grant(maps, length_ns),
        Operation::Renew => renew(maps, request.generation, length_ns),
        Operation::Drop => {
            give_up(maps);
            Reply::Done
        }
    }
}

#[inline(always)]
fn grant(maps: &mut Maps, length_ns: u64) -> Reply {
    // The timer of the lease before this one must not end it. To stop a timer also takes its callback
    // away (`bpf_timer_cancel`, kernel/bpf/helpers.c), so it is set up after that.
    give_up(maps);
    if !maps.prepare_timer() {
        return Reply::NoTimer;
    }
    let grants = maps.lease().grants.wrapping_add(1);
    let word = LeaseWord {
        state: LeaseState::Valid as u8,
        generation: grants as u8,
        pad: [0; 2],
        grants,
    };
    // Valid first, then the timer: in the other order the timer could fire in between, and a lease
    // without a timer would be valid for ever.
    maps.set_lease(word);
    if !maps.start_timer(length_ns) {
        end(maps, word);
        return Reply::NoTimer;
    }
    maps.note_renewal(length_ns);
    Reply::Done
}

#[inline(always)]
fn renew(maps: &mut Maps, generation: u8, length_ns: u64) -> Reply {
    if !is_valid(maps.lease(), generation) {
        return Reply::Lapsed;
    }
    if !maps.start_timer(length_ns) {
        return Reply::NoTimer;
    }
    // It may have lapsed while it was prolonged.
    if !is_valid(maps.lease(), generation) {
        return Reply::Lapsed;
    }
    maps.note_renewal(length_ns);
    Reply::Done
}

/// Ends the lease, if there is one. A lease that is given up is not counted as a lapse.
#[inline(always)]
fn give_up(maps: &mut Maps) {
    let word = maps.lease();
    if LeaseState::from_u8(word.state) == LeaseState::Valid {
        end(maps, word);
    }
    maps.stop_timer();
}

/// What the timer does: fences the node, and says so.
#[inline(always)]
pub(crate) fn lapse(maps: &mut Maps) {
    let word = maps.lease();
    if LeaseState::from_u8(word.state) != LeaseState::Valid {
        return;
    }
    end(maps, word);
    let now = maps.now_ns();
    maps.note_lapse(now);
    events::lease_lapsed(maps, now);
}

#[inline(always)]
fn end(maps: &mut Maps, word: LeaseWord) {
    maps.set_lease(LeaseWord {
        state: LeaseState::Lapsed as u8,
        ..word
    });
}

#[inline(always)]
fn is_valid(word: LeaseWord, generation: u8) -> bool {
    LeaseState::from_u8(word.state) == LeaseState::Valid && word.generation == generation
}

#[cfg(test)]
mod tests {
    use ha_common::{
        abi::EventKind,
        lease::{LeaseState, Operation, Reply, Request},
    };

    use crate::{Maps, Packet, run_lease};

    const MILLISECOND: u64 = 1_000_000;

    fn ask(maps: &mut Maps, operation: Operation, generation: u8, milliseconds: u64) -> Reply {
        let frame = Request {
            operation: operation as u8,
            generation,
            pad: [0; 6],
            length_ns: (milliseconds * MILLISECOND).to_le_bytes(),
        }
        .to_frame();
        run_lease(&Packet::new(&frame, frame.len(), 1), maps)
    }

    fn state(maps: &Maps) -> (LeaseState, u8) {
        let word = maps.node.lease;
        (LeaseState::from_u8(word.state), word.generation)
    }

    #[test]
    fn lasts_as_long_as_it_is_renewed() {
        let mut maps = Maps::default();
        assert_eq!(ask(&mut maps, Operation::Grant, 0, 20), Reply::Done);
        for _ in 0..10 {
            maps.advance(19 * MILLISECOND);
            assert_eq!(ask(&mut maps, Operation::Renew, 1, 20), Reply::Done);
        }
        assert_eq!(state(&maps), (LeaseState::Valid, 1));
        maps.advance(20 * MILLISECOND);
        assert_eq!(state(&maps), (LeaseState::Lapsed, 1));
        assert_eq!((maps.node.renewals, maps.node.lapses), (11, 1));
        assert_eq!(maps.node.lapsed_ns - maps.node.renewed_ns, 20 * MILLISECOND);
        assert_eq!(maps.events.len(), 1);
        assert_eq!(maps.events[0].kind, EventKind::LeaseLapsed as u32);
    }

    #[test]
    fn a_lease_that_is_ended_before_its_time_is_told_from_one_that_was_not_renewed() {
        let mut maps = Maps::default();
        ask(&mut maps, Operation::Grant, 0, 20);
        maps.advance(20 * MILLISECOND);
        assert!(!maps.node.was_ended_early());
        ask(&mut maps, Operation::Grant, 0, 20);
        assert!(!maps.node.was_ended_early());
        maps.advance(19 * MILLISECOND);
        super::lapse(&mut maps);
        assert!(maps.node.was_ended_early());
        ask(&mut maps, Operation::Grant, 0, 20);
        assert!(!maps.node.was_ended_early(), "there is a new one");
    }

    #[test]
    fn a_lapse_is_final_for_its_generation() {
        let mut maps = Maps::default();
        ask(&mut maps, Operation::Grant, 0, 20);
        maps.advance(20 * MILLISECOND);
        assert_eq!(ask(&mut maps, Operation::Renew, 1, 20), Reply::Lapsed);
        assert_eq!(maps.timer_ns, None, "a refused renewal starts no timer");
        assert_eq!(ask(&mut maps, Operation::Grant, 0, 20), Reply::Done);
        assert_eq!(state(&maps), (LeaseState::Valid, 2));
        assert_eq!(ask(&mut maps, Operation::Renew, 1, 20), Reply::Lapsed);
        assert_eq!(ask(&mut maps, Operation::Renew, 2, 20), Reply::Done);
    }

    #[test]
    fn only_the_low_bits_of_the_grants_are_the_generation() {
        let mut maps = Maps::default();
        for _ in 0..257 {
            ask(&mut maps, Operation::Grant, 0, 20);
        }
        assert_eq!(maps.node.lease.grants, 257);
        assert_eq!(state(&maps), (LeaseState::Valid, 1));
    }

    #[test]
    fn what_is_given_up_does_not_lapse() {
        let mut maps = Maps::default();
        ask(&mut maps, Operation::Grant, 0, 20);
        assert_eq!(ask(&mut maps, Operation::Drop, 1, 0), Reply::Done);
        assert_eq!(state(&maps), (LeaseState::Lapsed, 1));
        maps.advance(20 * MILLISECOND);
        assert_eq!((maps.node.lapses, maps.events.len()), (0, 0));
    }

    #[test]
    fn nothing_can_be_given_up_before_there_is_a_lease() {
        let mut maps = Maps::default();
        assert_eq!(ask(&mut maps, Operation::Drop, 0, 0), Reply::Done);
        assert_eq!(state(&maps), (LeaseState::None, 0));
    }

    #[test]
    fn a_frame_that_is_too_short_is_no_request() {
        let mut maps = Maps::default();
        let packet = Packet::new(&[1; 15], 15, 1);
        assert_eq!(run_lease(&packet, &mut maps), Reply::Invalid);
        assert_eq!(maps, Maps::default());
    }
}
