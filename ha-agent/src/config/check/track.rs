//! `track` of a group: which checks, and what they do to it.

use ha_core::track::Effect;

use super::{
    super::{error::Report, file, track::Track, value::number},
    election::Kind,
};

/// Weights, as keepalived has them.
const WEIGHTS: std::ops::RangeInclusive<i64> = -253..=253;

pub(super) fn track(
    group: &file::Group,
    kind: &Kind,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vec<Track>> {
    let key = format!("{key}.track");
    let entries: Vec<_> = group
        .track
        .iter()
        .map(|written| entry(written, kind, file, &key, report))
        .collect();
    entries.into_iter().collect()
}

fn entry(
    written: &file::Track,
    kind: &Kind,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Track> {
    let name = written.check.get_ref();
    let Some(check) = file.check.iter().position(|c| c.name.get_ref() == name) else {
        report.add(
            written.check.span(),
            key,
            format!("there is no check \"{name}\" in this file"),
            format!("add [[check]] with name = \"{name}\", or name one that is there"),
        );
        return None;
    };
    let is_number = file.check[check].kind.get_ref() == "file";
    let Some(weight) = &written.weight else {
        let effect = if is_number {
            Effect::Factor(1)
        } else {
            Effect::Fault
        };
        return Some(Track { check, effect });
    };
    let number: i32 = number(report, key, weight, WEIGHTS)?;
    let wrong = if kind.vrrp().is_none() {
        Some("a manual election has no priority that a weight could move")
    } else if number == 0 {
        Some("a weight of 0 does nothing")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        report.add(
            weight.span(),
            key,
            wrong,
            "remove the weight: then the group may not be Active while the check fails",
        );
        return None;
    }
    let effect = if is_number {
        Effect::Factor(number)
    } else {
        Effect::Weight(number)
    };
    Some(Track { check, effect })
}

/// A check that no group refers to is a mistake: somebody believes that it is heeded.
pub(super) fn unused(file: &file::File, report: &mut Report<'_>) {
    for check in &file.check {
        let name = check.name.get_ref();
        let mut tracked = file.group.iter().flat_map(|group| &group.track);
        if !tracked.any(|track| track.check.get_ref() == name) {
            report.add(
                check.name.span(),
                format!("check.{name}"),
                "no group tracks it, so it would do nothing",
                format!("add track = [{{ check = \"{name}\" }}] to a group, or remove the check"),
            );
        }
    }
}
