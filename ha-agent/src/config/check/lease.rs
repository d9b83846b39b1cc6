//! The length of the lease: it must end before a peer may take over.

use std::time::Duration;

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
/// The part of an advertisement interval that is left for a message's delay, as a divisor.
const DELAY: u32 = 10;
/// The highest priority: the Backup that has it takes over first (RFC 9568 section 6.1, Skew_Time).
const MOST_EAGER: u8 = u8::MAX;

/// The lease that is written, or the default for these groups.
pub(super) fn lease(
    file: &file::File,
    groups: &[Option<Draft>],
    report: &mut Report<'_>,
) -> Option<Duration> {
    let written = file.node.lease.as_ref();
    // A peer that is probed is not replaced while it lives, and says when its lease has ended.
    let is_probed = !file.peer.is_empty();
    let strictest = file
        .group
        .iter()
        .zip(groups)
        .filter_map(|(file, group)| {
            let vrrp = group.as_ref()?.kind.vrrp()?;
            Some((vrrp, file.name.get_ref()))
        })
        .min_by_key(|(vrrp, _)| vrrp.advert_interval)
        .filter(|_| !is_probed);
    let written = written.filter(|lease| lease.get_ref() != "auto");
    let Some(written) = written else {
        let bound = strictest.map_or(DEFAULT, |(vrrp, _)| {
            longest(vrrp.advert_interval.duration())
        });
        return Some(DEFAULT.min(bound));
    };
    let lease = duration(report, "node.lease", written, SHORTEST..=LONGEST)?;
    let Some((vrrp, group)) = strictest else {
        return Some(lease);
    };
    let interval = vrrp.advert_interval;
    let down = vrrp.version.active_down_interval(MOST_EAGER, interval);
    let interval = interval.duration();
    if lease <= longest(interval) {
        return Some(lease);
    }
    report.add(
        written.span(),
        "node.lease",
        format!(
            "a lease of {} outlasts the peers' patience: in group \"{group}\" they take over {down:.1?} \
             after the last advertisement, which may have been sent {} before this node dies and take \
             {} to arrive",
            shown(lease),
            shown(interval),
            shown(interval / DELAY),
        ),
        format!(
            "write lease = \"{}\" or less, or advert_interval = \"{}\" or more, or add [[peer]] for each \
             other node, which is not replaced then while it lives",
            shown(longest(interval)),
            shortest_interval(lease)
        ),
    );
    None
}

/// The longest lease that ends before any peer takes over.
///
/// The last renewal can be as late as the moment of death; the last advertisement, from which the
/// peers count three intervals and a skew that may be next to nothing, can have been sent one interval
/// before it and have taken a moment less to arrive.
fn longest(interval: Duration) -> Duration {
    interval * 2 - interval / DELAY
}

/// The shortest interval, in whole centiseconds, that a lease leaves room for.
fn shortest_interval(lease: Duration) -> String {
    let mut interval = Duration::from_millis(10);
    while longest(interval) < lease {
        interval += Duration::from_millis(10);
    }
    shown(interval)
}
