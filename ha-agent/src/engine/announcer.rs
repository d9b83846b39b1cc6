//! Announcements: what the schedule says, as frames on the wire.

use std::net::IpAddr;

use ha_common::abi::Mac;
use ha_core::{
    announce::{Config, Schedule},
    election::{Election as _, Role},
    time::Time,
};

use super::Engine;
use crate::net::frame::{
    addressed_to, gratuitous_arp_reply, gratuitous_arp_request, unsolicited_na,
};

/// Most addresses that one neighbour is told of at once; all are told of all by the usual announcements.
const MOST_TO_ONE: usize = 64;

/// When which group is announced.
#[derive(Debug)]
pub(super) struct Announcer(Schedule);

impl Announcer {
    pub(super) fn new(config: Config) -> Self {
        Self(Schedule::new(config))
    }

    pub(super) fn set_config(&mut self, config: Config) {
        self.0.set_config(config);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }

    /// Announces the first `count` places of the group in `slot`, from the beginning.
    pub(super) fn start(&mut self, now: Time, slot: u32, count: usize) {
        self.0.start(now, slot, count);
    }

    /// Announces places that were added to the group in `slot`.
    pub(super) fn add(&mut self, now: Time, slot: u32, places: std::ops::Range<usize>) {
        self.0.add(now, slot, places);
    }

    /// Announces the first `count` places of the group in `slot` again, as somebody has not heard.
    pub(super) fn hurry(&mut self, now: Time, slot: u32, count: usize) {
        self.0.hurry(now, slot, count);
    }

    pub(super) fn stop(&mut self, slot: u32) {
        self.0.stop(slot);
    }
}

impl Engine {
    /// Announces the group in `slot` to one neighbour that went the old way, in the family in which it did.
    pub(super) fn announce_to(&mut self, slot: u32, neighbour: Mac, v4: bool) {
        let found = self.groups.iter().position(|group| group.slot == slot);
        let Some(index) = found else {
            return;
        };
        if self.groups[index].election.role() != Role::Active
            || self.demotion(index).is_some()
            || !self.holds_lease()
        {
            return;
        }
        let group = &self.groups[index];
        let port = &mut self.ports[group.port];
        let vips = group.vips.iter().flatten();
        for vip in vips.filter(|vip| vip.is_ipv4() == v4).take(MOST_TO_ONE) {
            let frame = match vip {
                IpAddr::V4(v4) => gratuitous_arp_reply(group.mac4, *v4, group.vlan),
                IpAddr::V6(v6) => unsolicited_na(group.mac6, *v6, group.router, group.vlan),
            };
            port.send(&addressed_to(neighbour, &frame));
        }
    }

    /// Sends the announcements that are due.
    pub(super) fn announce(&mut self) {
        while let Some(batch) = self.announcer.0.next(self.now()) {
            if !self.holds_lease() {
                self.fall_silent();
                return;
            }
            let Some(index) = self
                .groups
                .iter()
                .position(|group| group.slot == batch.group)
            else {
                continue;
            };
            if self.demotion(index).is_some() {
                continue;
            }
            let group = &self.groups[index];
            let port = &mut self.ports[group.port];
            let vlan = group.vlan;
            // A place that was given up meanwhile is a hole.
            for vip in batch.indices.filter_map(|place| *group.vips.get(place)?) {
                match vip {
                    IpAddr::V4(v4) => {
                        port.send(&gratuitous_arp_request(group.mac4, v4, vlan));
                        port.send(&gratuitous_arp_reply(group.mac4, v4, vlan));
                    }
                    IpAddr::V6(v6) => {
                        port.send(&unsolicited_na(group.mac6, v6, group.router, vlan));
                    }
                }
            }
        }
    }
}
