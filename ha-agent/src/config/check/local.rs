//! `[group.local]`: other interfaces of this node.

use std::{collections::HashSet, ops::RangeInclusive, time::Duration};

use super::{
    super::{
        Local,
        error::Report,
        file,
        value::{duration, word},
    },
    optional,
};

const DELAYS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);
/// A link that has just come back may go again.
const DELAY: Duration = Duration::from_secs(5);

/// `None` if it is at fault, `Some(None)` if there is none.
pub(super) fn local(
    group: &file::Group,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Option<Local>> {
    let Some(written) = &group.local else {
        return Some(None);
    };
    let key = format!("{key}.local");
    let fallback = fallback(group, written, file, &key, report);
    let words = [("auto", true), ("never", false)];
    let returns = optional(written.returns.as_ref(), true, |returns| {
        word(report, &format!("{key}.return"), returns, &words)
    });
    let delay = optional(written.return_delay.as_ref(), DELAY, |delay| {
        duration(report, &format!("{key}.return_delay"), delay, DELAYS)
    });
    let delay = delay?;
    Some(Some(Local {
        fallback: fallback?,
        returns_after: returns?.then_some(delay),
    }))
}

fn fallback(
    group: &file::Group,
    written: &file::Local,
    file: &file::File,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Vec<String>> {
    let key = format!("{key}.fallback");
    let list = &written.fallback;
    let mut refuse = |span, what: String, mend: String| {
        report.add(span, &*key, what, mend);
        None
    };
    if list.get_ref().is_empty() {
        let mend = "name the interfaces that are to stand in, or remove [group.local]".to_owned();
        return refuse(list.span(), "the list is empty".to_owned(), mend);
    }
    if group.track_interface == Some(false) {
        let what = "without track_interface no link is ever found lost".to_owned();
        return refuse(
            list.span(),
            what,
            "remove track_interface = false".to_owned(),
        );
    }
    let mut seen = HashSet::from([group.interface.get_ref()]);
    let mut names = Vec::new();
    for entry in list.get_ref() {
        let name = entry.get_ref();
        if !file.interface.iter().any(|i| i.name.get_ref() == name) {
            let what = format!("there is no interface \"{name}\" in this file");
            let mend =
                format!("add [[interface]] with name = \"{name}\", or name one that is there");
            return refuse(entry.span(), what, mend);
        }
        if !seen.insert(name) {
            let what = format!("the group is served on {name} already");
            return refuse(entry.span(), what, "name each interface once".to_owned());
        }
        names.push(name.clone());
    }
    Some(names)
}
