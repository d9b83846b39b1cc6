//! A group that goes on with other keys.

use std::{collections::BTreeSet, net::IpAddr, ops::Range};

use ha_core::vrrp::{ChecksumChoice, VrrpConfig};

use super::super::group::{Group, Kind};

/// A group as it goes on, and what its election is to be told.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) group: Group,
    /// What the election has to take over.
    pub(super) config: Option<VrrpConfig>,
    /// The places of virtual IPs that are new.
    pub(super) added: Range<usize>,
}

/// `old` with the keys of `fresh`, which is what the new configuration makes of it.
pub(super) fn merge(old: Group, fresh: Group) -> Merged {
    let (vips, added) = places(&old.vips, &fresh.vips);
    let mut config = None;
    let election = match (old.election, fresh.election) {
        (Kind::Vrrp(mut old), Kind::Vrrp(fresh)) => {
            let wanted = fresh.machine.config();
            config = (old.machine.config() != wanted).then(|| wanted.clone());
            old.checksum = match (old.checksum, fresh.checksum) {
                // What was learnt is still so.
                (learned @ ChecksumChoice::Auto { .. }, ChecksumChoice::Auto { .. }) => learned,
                (_, other) => other,
            };
            Kind::Vrrp(old)
        }
        (old, Kind::Manual(_)) | (old @ Kind::Manual(_), _) => old,
    };
    let group = Group {
        slot: old.slot,
        fitness: old.fitness,
        active: old.active,
        changed: old.changed,
        cut: old.cut,
        vips,
        election,
        ..fresh
    };
    Merged {
        group,
        config,
        added,
    }
}

/// The places of `wanted` where those of `old` stay what they are, as the announcer wants it; and of which are new.
fn places(
    old: &[Option<IpAddr>],
    wanted: &[Option<IpAddr>],
) -> (Vec<Option<IpAddr>>, Range<usize>) {
    let kept: BTreeSet<_> = wanted.iter().flatten().copied().collect();
    let had: BTreeSet<_> = old.iter().flatten().copied().collect();
    let mut places: Vec<_> = old
        .iter()
        .map(|vip| vip.filter(|vip| kept.contains(vip)))
        .collect();
    let first = places.len();
    let new = wanted.iter().flatten().filter(|vip| !had.contains(*vip));
    places.extend(new.copied().map(Some));
    let added = first..places.len();
    (places, added)
}

#[cfg(test)]
mod tests {
    use super::places;

    fn vips(text: &str) -> Vec<Option<std::net::IpAddr>> {
        let each = text.split_whitespace();
        each.map(|vip| format!("10.0.0.{vip}").parse().ok())
            .collect()
    }

    #[test]
    fn places_stay_and_new_ones_come_last() {
        let hole = |mut vips: Vec<_>, place: usize| {
            vips[place] = None;
            vips
        };
        assert_eq!(places(&vips("1 2"), &vips("2 1")), (vips("1 2"), 2..2));
        let (found, added) = places(&vips("1 2 3"), &vips("4 3 1"));
        assert_eq!((found, added), (hole(vips("1 2 3 4"), 1), 3..4));
        let holed = hole(vips("1 2 3"), 1);
        let (found, added) = places(&holed, &vips("1 2 3"));
        assert_eq!((found, added), (hole(vips("1 2 3 2"), 1), 3..4));
    }
}
