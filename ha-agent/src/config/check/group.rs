//! `[[group]]`.

use std::{
    collections::HashSet,
    mem::{offset_of, size_of},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU8,
    time::Duration,
};

use ha_common::{
    abi::{Group as Slot, Vlan},
    wire::vrrp,
};
use toml::Spanned;

use super::{
    super::{
        Election, Group, Stale,
        error::Report,
        file, range,
        value::{number, word},
    },
    election::{self, Kind},
    guest, local, mac, optional, peers, track,
};

/// Longest name of a group, octets: what the last field of its slot in `ha_group` holds.
const NAME: usize = size_of::<Slot>() - offset_of!(Slot, name);
/// Ids of VLANs (IEEE 802.1Q: 0 and 4095 have other meanings).
const VLAN_IDS: std::ops::RangeInclusive<i64> = 1..=4094;

/// A group whose election may still wait for the lease, from which it takes a default.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) group: Group,
    pub(super) kind: Kind,
    /// The link-local address that the file does not list, but VRRP needs.
    pub(super) implied: Option<Ipv6Addr>,
}

impl Draft {
    /// Fills in what depends on the length of the lease.
    pub(super) fn finish(self, lease: Option<Duration>, is_pair: bool) -> Group {
        Group {
            election: self.kind.finish(lease.unwrap_or_default(), is_pair),
            ..self.group
        }
    }
}

pub(super) fn group(
    group: &file::Group,
    file: &file::File,
    report: &mut Report<'_>,
) -> Option<Draft> {
    let name = name(&group.name, report);
    let key = format!("group.{}", group.name.get_ref());
    known_interface(group, &key, file, report);
    let vlan = optional(group.vlan.as_ref(), Vlan::default(), |vlan| {
        self::vlan(vlan, &key, report)
    });
    let vips = vips(&group.vips, &key, report);
    let delivery = guest::delivery(group, file, &key, report);
    let election = election::election(&group.election, &key, report);
    let stale = optional(group.stale.as_ref(), Stale::default(), |stale| {
        let words = [("forward", Stale::Forward), ("drop", Stale::Drop)];
        word(report, &format!("{key}.stale"), stale, &words)
    });
    let (kind, mut vips) = (election?, vips?);
    let track = track::track(group, &kind, file, &key, report);
    let families = peers::families(group, &kind, &vips, &key, report);
    let mac = mac::mac(group, &kind, &key, report);
    let mac_fallback = mac::fallback(group, mac, &key, report);
    let implied = kind
        .advertises()
        .and_then(|vrid| implied_link_local(&vips, vrid));
    vips.extend(implied.map(IpAddr::V6));
    let local = local::local(group, file, &key, report);
    families?;
    Some(Draft {
        group: Group {
            name: name?,
            interface: group.interface.get_ref().clone(),
            vlan: vlan?,
            vips,
            delivery: delivery?,
            mac: mac?,
            mac_fallback: mac_fallback?,
            stale: stale?,
            router: group.router.unwrap_or(false),
            track: track?,
            track_interface: group.track_interface.unwrap_or(true),
            local: local?,
            election: Election::Manual,
        },
        kind,
        implied,
    })
}

fn name(name: &Spanned<String>, report: &mut Report<'_>) -> Option<String> {
    let text = name.get_ref();
    let fits = (1..=NAME).contains(&text.len());
    let plain = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    if fits && text.chars().all(plain) {
        return Some(text.clone());
    }
    report.add(
        name.span(),
        "group.name",
        format!("\"{text}\" cannot be the name of a group"),
        format!("write 1 to {NAME} letters, digits, '-', '_' or '.'"),
    );
    None
}

fn known_interface(group: &file::Group, key: &str, file: &file::File, report: &mut Report<'_>) {
    let named = group.interface.get_ref();
    if file.interface.iter().any(|i| i.name.get_ref() == named) {
        return;
    }
    report.add(
        group.interface.span(),
        format!("{key}.interface"),
        format!("there is no interface \"{named}\" in this file"),
        format!("add [[interface]] with name = \"{named}\", or name one that is there"),
    );
}

pub(super) fn vlan(
    written: &Spanned<Vec<Spanned<i64>>>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vlan> {
    let key = format!("{key}.vlan");
    let ids = written.get_ref();
    if ids.len() > 2 {
        report.add(
            written.span(),
            key,
            format!(
                "{} VLAN tags are more than the two that a frame can have",
                ids.len()
            ),
            "write [outer, inner], [id] or nothing",
        );
        return None;
    }
    let ids: Option<Vec<u16>> = ids
        .iter()
        .map(|id| number(report, &key, id, VLAN_IDS))
        .collect();
    let ids = ids?;
    Some(Vlan {
        outer: ids.first().copied().unwrap_or(0),
        inner: ids.get(1).copied().unwrap_or(0),
    })
}

fn vips(
    written: &Spanned<Vec<Spanned<file::Vip>>>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vec<IpAddr>> {
    let key = format!("{key}.vips");
    if written.get_ref().is_empty() {
        report.add(
            written.span(),
            key,
            "the list is empty",
            "add an address, as \"192.0.2.10\"",
        );
        return None;
    }
    let mut addresses = Vec::new();
    let mut seen = HashSet::new();
    let mut intact = true;
    for entry in written.get_ref() {
        match range::parse(&entry.get_ref().address) {
            Ok(range) => {
                if let Some(twice) = range.iter().find(|vip| seen.contains(*vip)) {
                    intact = false;
                    report.add(
                        entry.span(),
                        &*key,
                        format!("{twice} is already in this list"),
                        "write each address once",
                    );
                }
                seen.extend(range.iter().copied());
                addresses.extend(range);
            }
            Err(fault) => {
                intact = false;
                report.add(entry.span(), &*key, fault.what, fault.mend);
            }
        }
    }
    intact.then_some(addresses)
}

/// Over IPv6 an advertisement begins with a link-local virtual address (RFC 9568 section 5.2.9). A
/// group that lists none gets the one that belongs to its virtual MAC (RFC 4291 appendix A).
fn implied_link_local(vips: &[IpAddr], vrid: NonZeroU8) -> Option<Ipv6Addr> {
    let mut v6 = vips.iter().filter_map(|vip| match vip {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(v6),
    });
    let lists_v6 = v6.clone().next().is_some();
    if !lists_v6 || v6.any(Ipv6Addr::is_unicast_link_local) {
        return None;
    }
    let [a, b, c, d, e, f] = vrrp::mac6(vrid.get()).0;
    let octets = [
        0xfe,
        0x80,
        0,
        0,
        0,
        0,
        0,
        0,
        a ^ 2,
        b,
        c,
        0xff,
        0xfe,
        d,
        e,
        f,
    ];
    Some(Ipv6Addr::from(octets))
}
