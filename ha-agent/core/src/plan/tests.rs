use std::{collections::BTreeMap, net::Ipv4Addr};

use ha_common::abi::{GROUP_VIRTUAL_MAC, Group, MAX_GROUPS, MAX_VIPS, Mac, Role, RoleWord, Vlan};
use proptest::prelude::*;

use super::{
    Actual, Desired, DesiredVip, GroupFields, GroupName, NameError, PlanError, VipKey, Write, plan,
};

const NO_VLAN: Vlan = Vlan { outer: 0, inner: 0 };

fn name(text: &str) -> GroupName {
    GroupName::new(text).unwrap()
}

fn vip(text: &str) -> VipKey {
    VipKey::new(text.parse().unwrap(), NO_VLAN)
}

const fn fields(vrid: u8) -> GroupFields {
    GroupFields {
        ifindex: 2,
        flags: GROUP_VIRTUAL_MAC,
        vrid,
        mac4: Mac([0, 0, 0x5e, 0, 1, vrid]),
        mac6: Mac([0, 0, 0x5e, 0, 2, vrid]),
        nic: Mac([2, 0, 0, 0, 0, 1]),
    }
}

fn desired(groups: &[(&str, u8)], vips: &[(&str, &str)]) -> Desired {
    let vip = |&(address, group): &(&str, &str)| {
        let group = name(group);
        (vip(address), DesiredVip { group, deliver: 0 })
    };
    Desired {
        groups: groups
            .iter()
            .map(|&(g, vrid)| (name(g), fields(vrid)))
            .collect(),
        vips: vips.iter().map(vip).collect(),
    }
}

/// The maps after the plan for `desired` was carried out.
fn after(desired: &Desired, actual: &Actual) -> Actual {
    let mut after = actual.clone();
    for write in plan(desired, actual).unwrap().writes {
        after.apply(&write);
    }
    after
}

/// What an address is for the data path: nothing, or a group and where to deliver.
type Meaning = Option<(GroupName, GroupFields, u32)>;

fn meaning(actual: &Actual, key: VipKey) -> Meaning {
    let vip = actual.vips.get(&key)?;
    let (name, fields) = actual
        .fields(vip.group)
        .expect("no address points at a free slot");
    Some((name, fields, vip.deliver))
}

fn desired_meaning(desired: &Desired, key: VipKey) -> Meaning {
    let vip = desired.vips.get(&key)?;
    Some((vip.group, desired.groups[&vip.group], vip.deliver))
}

#[test]
fn from_nothing_groups_come_before_addresses() {
    let wanted = desired(
        &[("web", 51)],
        &[("192.0.2.10", "web"), ("fd00::10", "web")],
    );
    let plan = plan(&wanted, &Actual::default()).unwrap();
    let kinds = plan.writes.iter().map(|write| match write {
        Write::SetGroup { slot, .. } => ("set", *slot),
        Write::PutVip { value, .. } => ("put", value.group),
        Write::ClearGroup { slot } => ("clear", *slot),
        Write::RemoveVip { .. } => ("remove", 0),
    });
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        [("set", 0), ("put", 0), ("put", 0)]
    );
    assert_eq!(plan.slots, BTreeMap::from([(name("web"), 0)]));
}

#[test]
fn what_is_as_desired_is_not_written() {
    let wanted = desired(&[("web", 51), ("db", 52)], &[("192.0.2.10", "web")]);
    let actual = after(&wanted, &Actual::default());
    assert_eq!(plan(&wanted, &actual).unwrap().writes, []);
}

#[test]
fn slots_outlive_a_restart_whatever_the_order_of_names() {
    let first = desired(&[("m", 51)], &[]);
    let actual = after(&first, &Actual::default());
    let second = desired(&[("a", 1), ("m", 51), ("z", 2)], &[]);
    let slots = plan(&second, &actual).unwrap().slots;
    assert_eq!(
        slots,
        BTreeMap::from([(name("a"), 1), (name("m"), 0), (name("z"), 2)])
    );
}

#[test]
fn a_renamed_group_does_not_inherit_the_slot_and_its_role() {
    let actual = after(
        &desired(&[("old", 51)], &[("192.0.2.10", "old")]),
        &Actual::default(),
    );
    let wanted = desired(&[("new", 51)], &[("192.0.2.10", "new")]);
    let plan = plan(&wanted, &actual).unwrap();
    assert_eq!(plan.slots[&name("new")], 1);
    assert_eq!(plan.writes.last(), Some(&Write::ClearGroup { slot: 0 }));
}

#[test]
fn a_free_slot_that_still_has_a_role_is_passed_over() {
    let group = Group {
        word: RoleWord {
            role: Role::Active as u8,
            ..RoleWord::default()
        },
        ..Group::default()
    };
    let actual = Actual {
        groups: vec![group],
        vips: BTreeMap::new(),
    };
    let plan = plan(&desired(&[("web", 51)], &[]), &actual).unwrap();
    assert_eq!(plan.slots[&name("web")], 1);
}

#[test]
fn too_many_groups_are_refused_by_number() {
    let names: Vec<String> = (0..=MAX_GROUPS).map(|n| format!("group-{n}")).collect();
    let groups: Vec<_> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let whole = desired(&groups[1..], &[]);
    let full = after(&whole, &Actual::default());
    let error = plan(&desired(&groups, &[]), &full).unwrap_err();
    let wanted = MAX_GROUPS as usize + 1;
    assert_eq!(error, PlanError::TooManyGroups { wanted, busy: 0 });

    let error = plan(&desired(&groups[..1], &[]), &full).unwrap_err();
    let busy = MAX_GROUPS as usize;
    assert_eq!(error, PlanError::TooManyGroups { wanted: 1, busy });
}

#[test]
fn too_many_addresses_are_refused_by_number() {
    let group = name("web");
    let key = |n| VipKey::new(Ipv4Addr::from_bits(n).into(), NO_VLAN);
    let mut wanted = desired(&[("web", 51)], &[]);
    wanted.vips = (0..MAX_VIPS)
        .map(|n| (key(n), DesiredVip { group, deliver: 0 }))
        .collect();
    assert!(plan(&wanted, &Actual::default()).is_ok());
    wanted
        .vips
        .insert(key(MAX_VIPS), DesiredVip { group, deliver: 0 });
    assert_eq!(
        plan(&wanted, &Actual::default()).unwrap_err().to_string(),
        "131073 IPv4 virtual IPs do not fit: the table holds 131072"
    );
}

#[test]
fn an_address_of_no_group_is_refused() {
    let wanted = desired(&[("web", 51)], &[("fd00::1", "db")]);
    assert_eq!(
        plan(&wanted, &Actual::default()).unwrap_err().to_string(),
        "virtual IP fd00::1 belongs to group db, which does not exist"
    );
}

#[test]
fn names_that_fit_and_names_that_do_not() {
    let longest = "a-name-of-22-octets-ok";
    assert_eq!(name(longest).to_string(), longest);
    assert_eq!(GroupName::new(""), Err(NameError::Empty));
    let too_long = format!("{longest}!");
    assert_eq!(
        GroupName::new(&too_long),
        Err(NameError::TooLong { len: 23 })
    );
    for found in [' ', '\0', 'ü', '\n'] {
        let error = GroupName::new(&format!("a{found}")).unwrap_err();
        assert_eq!(error, NameError::Unprintable { found });
    }
}

#[test]
fn keys_name_their_network() {
    let tagged = |outer, inner| {
        let vlan = Vlan { outer, inner };
        VipKey::new(Ipv4Addr::new(192, 0, 2, 1).into(), vlan).to_string()
    };
    assert_eq!(tagged(0, 0), "192.0.2.1");
    assert_eq!(tagged(7, 0), "192.0.2.1 in VLAN 7");
    assert_eq!(tagged(7, 8), "192.0.2.1 in VLAN 7.8");
}

fn any_desired() -> impl Strategy<Value = Desired> {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let groups = prop::collection::btree_map(prop::sample::select(&NAMES[..]), 1_u8..4, 0..5);
    let vips =
        prop::collection::btree_map(0_u16..12, (any::<prop::sample::Index>(), 0_u32..2), 0..12);
    (groups, vips).prop_map(|(groups, vips)| {
        let groups: BTreeMap<_, _> = groups
            .into_iter()
            .map(|(text, vrid)| (name(text), fields(vrid)))
            .collect();
        let owners: Vec<_> = groups.keys().copied().collect();
        let vips = vips
            .into_iter()
            .filter(|_| !owners.is_empty())
            .map(|(n, (owner, deliver))| {
                let vlan = Vlan {
                    outer: n % 2,
                    inner: 0,
                };
                let address = if n < 6 {
                    format!("192.0.2.{n}")
                } else {
                    format!("fd00::{n}")
                };
                let key = VipKey::new(address.parse().unwrap(), vlan);
                let group = *owner.get(&owners);
                (key, DesiredVip { group, deliver })
            });
        Desired {
            vips: vips.collect(),
            groups,
        }
    })
}

proptest! {
    #[test]
    fn every_prefix_is_safe_and_the_whole_is_as_desired(
        history in prop::collection::vec(any_desired(), 1..6),
        roles in prop::collection::vec(0_u8..3, 16),
    ) {
        let mut actual = Actual::default();
        for wanted in history {
            for (group, &role) in actual.groups.iter_mut().zip(&roles) {
                group.word.role = role;
            }
            let before = actual.clone();
            let plan = super::plan(&wanted, &before).unwrap();
            for write in &plan.writes {
                let previous = actual.clone();
                actual.apply(write);
                prop_assert_ne!(&actual, &previous, "a write that changes nothing");
                for &key in before.vips.keys().chain(wanted.vips.keys()) {
                    let now = meaning(&actual, key);
                    let old_name_new_fields = before.vips.get(&key).and_then(|vip| {
                        let (name, _) = before.fields(vip.group)?;
                        Some((name, *wanted.groups.get(&name)?, vip.deliver))
                    });
                    let allowed = [
                        None,
                        meaning(&before, key),
                        old_name_new_fields,
                        desired_meaning(&wanted, key),
                    ];
                    prop_assert!(allowed.contains(&now), "{} is {:?}", key, now);
                }
                prop_assert!(actual.vips.len() <= before.vips.len().max(wanted.vips.len()));
            }
            for &key in before.vips.keys().chain(wanted.vips.keys()) {
                prop_assert_eq!(meaning(&actual, key), desired_meaning(&wanted, key));
            }
            prop_assert_eq!(actual.vips.len(), wanted.vips.len());
            for (slot, group) in actual.groups.iter().enumerate() {
                let word = before.groups.get(slot).map_or_else(RoleWord::default, |old| old.word);
                prop_assert_eq!(group.word, word, "role words are the election's");
            }
            for (name, &slot) in &plan.slots {
                let had = before.fields(slot).map(|(name, _)| name);
                prop_assert!(had.is_none() || had == Some(*name), "slot {} was of another", slot);
            }
            prop_assert_eq!(super::plan(&wanted, &actual).unwrap().writes, vec![]);
        }
    }
}

#[test]
fn a_slot_is_known_by_its_name_while_it_is_in_use() {
    let full = after(&desired(&[("web", 51)], &[]), &Actual::default());
    assert!(name("web").is_of(&full.groups[0]));
    assert!(!name("we").is_of(&full.groups[0]));
    let cleared = after(&Desired::default(), &full);
    assert!(!name("web").is_of(&cleared.groups[0]));
}
