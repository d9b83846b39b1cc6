//! With which MAC a group answers, and how it has come to it.

use anyhow::{Result, bail};
use ha_common::{
    abi::{GROUP_USED, GROUP_VIRTUAL_MAC, Mac},
    wire::vrrp,
};
use ha_core::plan::GroupName;

use super::{Engine, group::Group};
use crate::{
    config::{self, AnsweringMac, Config, MacFallback},
    dataplane::Dataplane,
};

/// How a group has come to the MAC with which it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Answers {
    /// It is what is configured.
    #[default]
    AsConfigured,
    /// The virtual one, which may not get through: why that is not known.
    Unproved(String),
    /// The interface's, as the virtual one does not get through: why.
    ByInterface(String),
}

impl Answers {
    /// What is to be known of it.
    pub(super) fn note(&self) -> Option<&str> {
        match self {
            Self::AsConfigured => None,
            Self::Unproved(why) | Self::ByInterface(why) => Some(why),
        }
    }
}

/// What an agent before this one has left of a group, if that is gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing, or what is another group now.
    Nothing,
    /// It answers as it is configured.
    Same,
    /// It answers with the interface's MAC, as it may.
    ByInterface,
}

/// What was left of the groups of the configuration, in their order.
pub(super) fn left(config: &Config, found: Option<&Dataplane>) -> Result<Vec<Left>> {
    let slots = found.map_or_else(Vec::new, |dataplane| dataplane.groups.groups());
    let of_one = |group: &config::Group| {
        let name = GroupName::new(&group.name)?;
        let mut used = slots.iter().filter(|slot| slot.flags & GROUP_USED != 0);
        let Some(slot) = used.find(|slot| name.is_of(slot)) else {
            return anyhow::Ok(Left::Nothing);
        };
        let is_virtual = slot.flags & GROUP_VIRTUAL_MAC != 0;
        Ok(match (group.mac, group.mac_fallback, is_virtual) {
            (AnsweringMac::Virtual(vrid), _, true) if slot.mac4 == vrrp::mac4(vrid.get()) => {
                Left::Same
            }
            (AnsweringMac::Virtual(_), MacFallback::Interface, false) => Left::ByInterface,
            (AnsweringMac::Interface, _, false) => Left::Same,
            (AnsweringMac::Virtual(_) | AnsweringMac::Interface, _, _) => Left::Nothing,
        })
    };
    config.groups.iter().map(of_one).collect()
}

/// Has a group go on as the agent before this one has left it.
pub(super) fn go_on(group: &mut Group, left: Left, nic: Mac) {
    match left {
        Left::Nothing | Left::Same => {}
        Left::ByInterface => {
            let why = "so it was under the agent before this one, under whose lease it goes on";
            group.answer(Answers::ByInterface(why.to_owned()), nic);
        }
    }
}

impl Group {
    /// `nic` is the own MAC of its interface.
    pub(super) fn answer(&mut self, answers: Answers, nic: Mac) {
        match &answers {
            Answers::AsConfigured | Answers::Unproved(_) => {}
            Answers::ByInterface(_) => {
                self.flags &= !GROUP_VIRTUAL_MAC;
                (self.mac4, self.mac6) = (nic, nic);
            }
        }
        self.answers = answers;
    }

    /// Goes on as `old` does.
    pub(super) fn answer_as(&mut self, old: &Self, config: &config::Group, nic: Mac) -> Result<()> {
        if let (Answers::ByInterface(why), MacFallback::None) = (&old.answers, config.mac_fallback)
            && config.mac != AnsweringMac::Interface
        {
            bail!(
                "the group {} answers with the interface's MAC, as the virtual one does not get through ({why}): put \
                 mac_fallback = \"interface\" back, or write mac = \"interface\"; a stop and a start of the agent find \
                 out anew",
                self.name
            );
        }
        self.answer(old.answers.clone(), nic);
        Ok(())
    }
}

impl Engine {
    /// Says of a group that has begun how it answers, if that is worth it.
    pub(super) fn tell_answers(&mut self, index: usize) {
        let group = &self.groups[index];
        match &group.answers {
            Answers::AsConfigured => {}
            Answers::Unproved(why) => tracing::warn!(
                group = %group.name,
                "whether its virtual MAC gets through is not known: {why}"
            ),
            Answers::ByInterface(why) => {
                let text = format!("answers with the interface's MAC, not the virtual one: {why}");
                tracing::warn!(group = %group.name, "{text}");
                self.history.group(&group.name, "mac_fallback", text);
            }
        }
    }
}
