//! Replies: stamped for the agent, which compares stamps and so is never fooled by its own late waking.

use ha_common::{
    abi::{Reply, SEQUENCE_BITS},
    reason::Reason,
};

use super::{Bearer, Message, check, peer, your};
use crate::{
    frame::Frame,
    maps::Maps,
    packet::{Packet, Then},
};

/// Takes a reply; `None` if this node does not ask its sender with the discriminator that it is to.
#[inline(always)]
pub(super) fn judge<H: Bearer>(packet: &Packet, maps: &mut Maps, frame: &Frame) -> Option<Reason> {
    let your = your::<H>(packet, frame)?;
    let slot = maps.live_peer(&peer::<H>(packet, maps, frame))?;
    if maps.live_session(slot) != your >> SEQUENCE_BITS || your >> SEQUENCE_BITS == 0 {
        return None;
    }
    if let Err(reason) = check::<H>(packet, frame, false) {
        return Some(reason);
    }
    let Some(Then(_, Then(_, control))) = packet.get::<Message<H>>(frame.l3) else {
        return Some(Reason::LiveMalformed);
    };
    let reply = Reply {
        discriminator: your,
        state: control.state() as u8,
        diagnostic: control.diagnostic(),
        pad: [0; 2],
    };
    maps.note_reply(slot, reply);
    Some(Reason::LiveReply)
}
