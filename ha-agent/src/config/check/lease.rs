//! The length of the lease: it must end before a peer may take over.

use std::time::Duration;

use ha_core::vrrp::timers::active_down_interval;
use toml::Spanned;

use super::{
    super::{
        error::Report,
        file,
        value::{duration, shown},
    },
    group::Draft,
};

/// Bounds of what a lease may be: shorter than this a host's ordinary hiccups end it.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(60);
/// The lease unless a group's interval demands a shorter one.
const DEFAULT: Duration = Duration::from_millis(200);
/// The highest priority: the Backup that has it takes over first (RFC 9568 section 6.1, Skew_Time).
const MOST_EAGER: u8 = u8::MAX;

/// The lease that is written, or the default for these groups.
pub(super) fn lease(
    written: Option<&Spanned<String>>,
    files: &[file::Group],
    groups: &[Option<Draft>],
    report: &mut Report<'_>,
) -> Option<Duration> {
    let strictest = files
        .iter()
        .zip(groups)
        .filter_map(|(file, group)| {
            let interval = group.as_ref()?.kind.advert_interval()?;
            Some((interval, file.name.get_ref()))
        })
        .min_by_key(|(interval, _)| *interval);
    let written = written.filter(|lease| lease.get_ref() != "auto");
    let Some(written) = written else {
        let bound = strictest.map_or(DEFAULT, |(interval, _)| interval.duration() * 2);
        return Some(DEFAULT.min(bound));
    };
    let lease = duration(report, "node.lease", written, SHORTEST..=LONGEST)?;
    let Some((interval, group)) = strictest else {
        return Some(lease);
    };
    // The last renewal can be as late as the moment of death; the last advertisement, from which the
    // peers count, as early as one interval before it.
    let down = active_down_interval(MOST_EAGER, interval);
    let interval = interval.duration();
    if lease + interval <= down {
        return Some(lease);
    }
    report.add(
        written.span(),
        "node.lease",
        format!(
            "a lease of {} outlasts the peers' patience: in group \"{group}\" the advertisement \
             that they heard last may be {} old when this node dies, and they take over {down:.1?} after it",
            shown(lease),
            shown(interval),
        ),
        format!(
            "write lease = \"{}\" or less, or advert_interval = \"{}ms\" or more",
            shown(interval * 2),
            (lease.as_millis() / 2).next_multiple_of(10)
        ),
    );
    None
}
