//! Roles that the kernel took back on an advertisement that outranks this node.
//!
//! The advertisement itself tells the election more than the demotion: who sent it, and that it may be
//! acknowledged, for which a claimer waits. The kernel's word is there before the frame is in the
//! socket. So an advertisement is always handed in as it is, and only what needs the role is left
//! undone; the demotion is handed in before any other input, at the latest when the next advertisement
//! would be sent.

use ha_common::abi::Demotion;
use ha_core::{election::Input, word};

use super::Engine;

impl Engine {
    /// The demotion that voids the role of a group, if there is one.
    ///
    /// Asked for in the map: the event that told of it is lost if the ring was full.
    pub(super) fn demotion(&self, index: usize) -> Option<Demotion> {
        let words = &self.dataplane.groups;
        let slot = self.groups[index].slot;
        let demoted = words.demotion(slot);
        word::is_taken_back(words.word(slot), demoted).then_some(demoted)
    }

    /// Tells the election that its role was taken back, unless `input` is to come first.
    pub(super) fn give_up_if_demoted(&mut self, index: usize, input: &Input) {
        if comes_first(input) {
            return;
        }
        if let Some(demoted) = self.demotion(index) {
            let priority = u8::try_from(demoted.priority).unwrap_or(u8::MAX);
            // It commands nothing that could be refused.
            let _ = self.execute(index, Input::Demoted { priority });
        }
    }
}

/// Whether an input is for an election that does not know yet that its role was taken back.
const fn comes_first(input: &Input) -> bool {
    match input {
        Input::Advert { .. } | Input::LeaseLapsed | Input::GaveWay | Input::Demoted { .. } => true,
        Input::Start
        | Input::Resume { .. }
        | Input::Timer
        | Input::Promote
        | Input::Release
        | Input::HandOver { .. }
        | Input::Duty(_)
        | Input::Fitness(_)
        | Input::Liveness { .. }
        | Input::Answer { .. }
        | Input::Witnessed
        | Input::Join
        | Input::Leave
        | Input::Reconfigure(_)
        | Input::Stop => false,
    }
}
