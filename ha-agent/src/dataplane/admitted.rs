//! What the NICs must let through for what the maps hold: virtual MACs, and the groups to which
//! solicitations are sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ha_common::abi::{GROUP_USED, GROUP_VIRTUAL_MAC, Group, Mac};
use ha_core::plan::Actual;

use crate::net::frame::solicited_node_mac;

/// The MACs by the index of the interface.
pub type Admitted = BTreeMap<u32, BTreeSet<Mac>>;

/// The MACs for these contents of the maps.
#[must_use]
pub fn admitted(actual: &Actual) -> Admitted {
    let mut admitted = Admitted::new();
    for group in actual.groups.iter().filter(|group| is(group, GROUP_USED)) {
        if is(group, GROUP_VIRTUAL_MAC) {
            let macs = admitted.entry(group.ifindex).or_default();
            macs.extend([group.mac4, group.mac6]);
        }
    }
    for (key, vip) in &actual.vips {
        let IpAddr::V6(address) = key.address() else {
            continue;
        };
        if let Some(group) = actual.groups.get(vip.group as usize) {
            let macs = admitted.entry(group.ifindex).or_default();
            macs.insert(solicited_node_mac(address));
        }
    }
    admitted
}

/// All of them on each of these interfaces: on any of them a group may have been served, or could have been.
#[must_use]
pub fn everywhere(admitted: &Admitted, indices: impl IntoIterator<Item = u32>) -> Admitted {
    let all: BTreeSet<Mac> = admitted.values().flatten().copied().collect();
    let of_links = indices.into_iter().map(|index| (index, all.clone()));
    of_links
        .chain(admitted.clone())
        .fold(Admitted::new(), |mut sum, (index, macs)| {
            sum.entry(index).or_default().extend(macs);
            sum
        })
}

fn is(group: &Group, flag: u16) -> bool {
    group.flags & flag != 0
}

#[cfg(test)]
mod tests {
    use ha_common::{
        abi::{Vip, Vlan},
        wire::vrrp,
    };
    use ha_core::plan::VipKey;

    use super::*;

    #[test]
    fn virtual_macs_and_solicitations_on_the_group_s_interface() {
        let mut actual = Actual {
            groups: vec![Group {
                ifindex: 7,
                flags: GROUP_USED | GROUP_VIRTUAL_MAC,
                mac4: vrrp::mac4(51),
                mac6: vrrp::mac6(51),
                ..Group::default()
            }],
            ..Actual::default()
        };
        for address in ["192.0.2.10", "2001:db8::1:10"] {
            let key = VipKey::new(address.parse().unwrap(), Vlan::default());
            actual.vips.insert(key, Vip::default());
        }
        let solicited = Mac([0x33, 0x33, 0xff, 0x01, 0x00, 0x10]);
        let expected = [vrrp::mac4(51), vrrp::mac6(51), solicited].into();
        assert_eq!(admitted(&actual), Admitted::from([(7, expected)]));

        let both = everywhere(&admitted(&actual), [8]);
        assert_eq!(both[&8], both[&7]);

        actual.groups[0].flags = GROUP_USED;
        assert_eq!(admitted(&actual), Admitted::from([(7, [solicited].into())]));
    }
}
