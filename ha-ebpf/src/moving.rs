//! Questions for the owner while a group changes hands: each is answered once.
//!
//! Between the moment in which the former owner falls silent and the one in which the claimer learns of it, nobody
//! would answer; and every node hears every question. So the former owner hands on what it does not answer any more,
//! to the claimer alone. A claimer answers only what was handed on. Once it is Active it answers what it hears, and
//! of what is handed on only what it has not answered: what passed it while it was still a claimer.
//!
//! So it is when a group goes over from one interface of its node to another: a question comes in on both, and what was
//! answered on the one is not answered on the other.

use ha_common::{
    abi::{GROUP_MOVES, GROUP_STALE_DROP, Group, Mac, Peer, Role},
    fence::{Fence, Standing},
    lease::LeaseState,
    reason::Reason,
    wire::eth,
};

use crate::{
    fence::Served,
    frame::Hit,
    maps::{Asked, Maps},
    packet::Packet,
};

const NS_PER_MS: u64 = 1_000_000;

/// Who asks for what.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub(crate) asker: Mac,
    /// The last octets of the asker's address.
    pub(crate) address: [u8; 2],
    /// The last octets of the virtual IP.
    pub(crate) vip: [u8; 4],
    pub(crate) is_v6: bool,
}

/// Whether a question is worth a closer look: it may be answered, or handed on.
#[inline(always)]
pub(crate) fn hear(maps: &Maps, hit: &Hit, served: &Served) -> Result<(), Reason> {
    match served.standing {
        Standing::Active => Ok(()),
        Standing::Claiming if hit.dst == served.group.nic && maps.is_peer(&hit.src) => Ok(()),
        Standing::Claiming => Err(Reason::SilentClaiming),
        Standing::Backup if has_let_go(maps, served) => Ok(()),
        Standing::Backup => Err(Reason::SilentBackup),
        Standing::Fenced(fence) if is_silenced_owner(fence, served) => Ok(()),
        Standing::Fenced(_) => Err(Reason::SilentFenced),
    }
}

/// Whether a question that makes sense is answered here. If not it may have been handed on.
#[inline(always)]
pub(crate) fn admit(
    packet: &mut Packet,
    maps: &mut Maps,
    hit: &Hit,
    served: &Served,
    question: Question,
) -> Result<(), Reason> {
    let Served { group, standing } = served;
    let is_handed_on = hit.dst == group.nic && question.asker != hit.src && maps.is_peer(&hit.src);
    let moves = group.flags & GROUP_MOVES != 0;
    let asked = Asked {
        asker: question.asker,
        address: question.address,
        vip: question.vip,
        epoch: group.word.epoch,
        ifindex: hit.ifindex,
        at_ms: (maps.coarse_now_ns() / NS_PER_MS) as u32,
    };
    match standing {
        Standing::Active if is_handed_on => {
            if moves && !maps.asked(place(question)).is(&asked) {
                Ok(())
            } else {
                Err(Reason::QuestionTwice)
            }
        }
        Standing::Active => {
            if !moves {
                return Ok(());
            }
            let answered = maps.asked(place(question));
            maps.set_asked(place(question), asked);
            if answered.is_copy_of(&asked) {
                Err(Reason::QuestionTwice)
            } else {
                Ok(())
            }
        }
        Standing::Claiming if is_handed_on => Ok(()),
        Standing::Claiming => Err(Reason::SilentClaiming),
        Standing::Backup => Err(hand_on(packet, maps, hit, group, Reason::SilentBackup)),
        Standing::Fenced(_) => Err(hand_on(packet, maps, hit, group, Reason::SilentFenced)),
    }
}

/// Half of the places are for each family.
#[inline(always)]
fn place(question: Question) -> u32 {
    let [.., mac] = question.asker.0;
    let [.., vip] = question.vip;
    let mixed = u32::from(u16::from_be_bytes(question.address))
        + u32::from(mac) * 131
        + u32::from(vip) * 17;
    let half = Asked::PLACES / 2;
    mixed % half + if question.is_v6 { half } else { 0 }
}

/// Whether the node has just let go, and its agent is there to end that.
#[inline(always)]
fn has_let_go(maps: &Maps, served: &Served) -> bool {
    let lease = maps.lease();
    let group = &served.group;
    group.flags & GROUP_MOVES != 0
        && lease.state == LeaseState::Valid as u8
        && lease.generation == group.word.lease
        && group.word.peer != 0
}

/// Whether it is an owner that the kernel has silenced, and whose agent does not know it yet.
#[inline(always)]
fn is_silenced_owner(fence: Fence, served: &Served) -> bool {
    let word = served.group.word;
    match fence {
        Fence::Demoted => word.role == Role::Active as u8 && word.peer != 0,
        Fence::NoLease | Fence::LeaseLapsed | Fence::OtherLease => false,
    }
}

/// Sends a question to the peer that takes over, as it is; `silent` if it cannot be.
#[inline(always)]
fn hand_on(packet: &mut Packet, maps: &Maps, hit: &Hit, group: &Group, silent: Reason) -> Reason {
    if group.flags & GROUP_STALE_DROP != 0 || maps.is_peer(&hit.src) {
        return silent;
    }
    let Some(&Peer { mac, ifindex, .. }) = maps.peer(u32::from(group.word.peer)) else {
        return silent;
    };
    if !mac.is_station() || ifindex != hit.ifindex {
        return silent;
    }
    let Some(header) = packet.get_mut::<eth::Header>(0) else {
        return silent;
    };
    header.dst = mac;
    header.src = group.nic;
    Reason::QuestionForwarded
}
