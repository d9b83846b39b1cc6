//! What there is to see of local recovery.

use ha_core::recovery::Reach;

use super::super::Engine;
use crate::api::types;

impl Engine {
    /// What is wrong with one of a group's interfaces.
    pub(super) fn trouble(&self, index: usize, way: usize) -> Option<String> {
        let group = &self.groups[index];
        let port = *group.ways.get(way)?;
        let name = &self.ports[port].link.name;
        if !self.is_well(port) {
            Some(format!("{name} has no link"))
        } else if group.is_cut(way) {
            Some(format!("{name} reaches none of its ping targets"))
        } else {
            None
        }
    }

    /// Why a group is not served on its first interface.
    pub(in crate::engine) fn stands_in(&self, index: usize) -> Option<String> {
        let group = &self.groups[index];
        let first = *group.ways.first()?;
        if first == group.port {
            return None;
        }
        if let Some(trouble) = self.trouble(index, 0) {
            return Some(trouble);
        }
        let name = &self.ports[first].link.name;
        Some(match (group.returns_at, group.returns_after) {
            (Some(at), _) => {
                let left = at.since_origin().saturating_sub(self.now().since_origin());
                format!("{name} is well again; back in {left:.0?}")
            }
            (None, None) => format!("{name} is well again; the group stays"),
            (None, Some(_)) => {
                format!("{name} has a link again, but no ping target has answered yet")
            }
        })
    }

    /// The interfaces on which a group may be served, if there are several.
    pub(in crate::engine) fn ways_status(&self, index: usize) -> Vec<types::LocalWay> {
        let group = &self.groups[index];
        let ways = group.ways.iter().enumerate();
        let ways = ways.filter(|_| group.ways.len() > 1);
        let reach = self.targets.reach(index);
        ways.map(|(place, way)| types::LocalWay {
            interface: self.ports[*way].link.name.clone(),
            link: self.is_well(*way),
            targets: reach.map(|reach| {
                let word = match reach.get(place).copied().unwrap_or_default() {
                    Reach::Unknown => "unknown",
                    Reach::Answers | Reach::Late => "answer",
                    Reach::Silent => "silent",
                };
                word.to_owned()
            }),
        })
        .collect()
    }
}
