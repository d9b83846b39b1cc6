//! `[[sync]]`: groups that move together.

use std::collections::HashMap;

use super::{
    super::{error::Report, file, track::Sync},
    group::Draft,
};

pub(super) fn syncs(
    written: &[file::Sync],
    files: &[file::Group],
    groups: &[Option<Draft>],
    report: &mut Report<'_>,
) -> Option<Vec<Sync>> {
    let mut taken = HashMap::new();
    let syncs: Vec<_> = written
        .iter()
        .map(|sync| self::sync(sync, files, groups, &mut taken, report))
        .collect();
    syncs.into_iter().collect()
}

fn sync(
    written: &file::Sync,
    files: &[file::Group],
    groups: &[Option<Draft>],
    taken: &mut HashMap<usize, String>,
    report: &mut Report<'_>,
) -> Option<Sync> {
    let name = written.name.get_ref();
    let key = format!("sync.{name}.groups");
    if written.groups.get_ref().len() < 2 {
        report.add(
            written.groups.span(),
            &*key,
            "fewer than two groups have nobody to move with",
            "name two groups or more, or remove the entry",
        );
        return None;
    }
    let members: Vec<_> = written
        .groups
        .get_ref()
        .iter()
        .map(|member| {
            let group = member.get_ref();
            let Some(index) = files.iter().position(|file| file.name.get_ref() == group) else {
                report.add(
                    member.span(),
                    &*key,
                    format!("there is no group \"{group}\" in this file"),
                    "name a [[group]] of this file",
                );
                return None;
            };
            if let Some(other) = taken.insert(index, name.clone()) {
                report.add(
                    member.span(),
                    &*key,
                    format!("the group \"{group}\" is already in the sync \"{other}\""),
                    "put all groups that move together into one [[sync]]",
                );
                return None;
            }
            let is_manual = groups
                .get(index)
                .and_then(Option::as_ref)
                .is_some_and(|draft| draft.kind.vrrp().is_none());
            if is_manual {
                report.add(
                    member.span(),
                    &*key,
                    format!("the election of \"{group}\" is manual, so its manager moves it"),
                    "remove it here, or write type = \"vrrp\" there",
                );
                return None;
            }
            Some(index)
        })
        .collect();
    let groups: Option<Vec<usize>> = members.into_iter().collect();
    Some(Sync {
        name: name.clone(),
        groups: groups?,
    })
}
