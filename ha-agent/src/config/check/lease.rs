//! The length of the lease: it must end before a peer may take over, or say so itself.

use std::{net::IpAddr, time::Duration};

use ha_core::vrrp::Peers;

use super::{
    super::{
        Peer, Vrrp,
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

/// A group that holds the lease to the first rule, and why.
struct Bound<'a> {
    group: &'a str,
    vrrp: &'a Vrrp,
    why: Why,
}

/// Why missing advertisements alone decide about a group's owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// No peer is probed.
    NoPeers,
    /// This one of its unicast peers is not.
    NotProbed(IpAddr),
}

/// The lease that is written, or the default for these groups. `peers` are those that are probed, `None` if
/// they are at fault.
///
/// There are two rules. Where missing advertisements alone decide, the lease must have ended before they
/// do. Where all peers are probed, a node that hangs is not replaced before it says itself that its lease
/// has ended, so there the lease may be as long as the operator can wait for that.
pub(super) fn lease(
    file: &file::File,
    groups: &[Option<Draft>],
    peers: Option<&[Peer]>,
    report: &mut Report<'_>,
) -> Option<Duration> {
    let each = file.group.iter().zip(groups);
    let bounds = each.filter_map(|(file, group)| {
        let vrrp = group.as_ref()?.kind.vrrp()?;
        let why = why(vrrp, peers?)?;
        let group = file.name.get_ref();
        Some(Bound { group, vrrp, why })
    });
    let strictest = bounds.min_by_key(|bound| bound.vrrp.advert_interval);
    let written = file.node.lease.as_ref();
    let written = written.filter(|lease| lease.get_ref() != "auto");
    let Some(written) = written else {
        let bound = strictest.map_or(DEFAULT, |bound| {
            longest(bound.vrrp.advert_interval.duration())
        });
        return Some(DEFAULT.min(bound));
    };
    let lease = duration(report, "node.lease", written, SHORTEST..=LONGEST)?;
    let broken = strictest.filter(|bound| longest(bound.vrrp.advert_interval.duration()) < lease);
    let Some(Bound { group, vrrp, why }) = broken else {
        return Some(lease);
    };
    let down = vrrp
        .version
        .active_down_interval(MOST_EAGER, vrrp.advert_interval);
    let interval = vrrp.advert_interval.duration();
    let (condition, probe) = match why {
        Why::NoPeers => (
            String::new(),
            "or add [[peer]] for each other node, which is not replaced then while it lives"
                .to_owned(),
        ),
        Why::NotProbed(peer) => (
            format!(", since {peer} is not probed"),
            format!(
                "or add {peer} to the paths of a [[peer]], which is not replaced then while it lives"
            ),
        ),
    };
    report.add(
        written.span(),
        "node.lease",
        format!(
            "a lease of {} outlasts the peers' patience: in group \"{group}\" they take over {down:.1?} \
             after the last advertisement{condition}, which may have been sent {} before this node dies and take \
             {} to arrive",
            shown(lease),
            shown(interval),
            shown(interval / DELAY),
        ),
        format!(
            "write lease = \"{}\" or less, or advert_interval = \"{}\" or more, {probe}",
            shown(longest(interval)),
            shortest_interval(lease)
        ),
    );
    None
}

/// Why the first rule holds for an election; `None` if it does not.
fn why(vrrp: &Vrrp, peers: &[Peer]) -> Option<Why> {
    if peers.is_empty() {
        return Some(Why::NoPeers);
    }
    match &vrrp.peers {
        // Who they are is not said; that those who are probed are all is the operator's to see to.
        Peers::Multicast => None,
        Peers::Unicast(listed) => {
            let is_probed = |address: &&IpAddr| {
                let mut paths = peers.iter().flat_map(|peer| &peer.paths);
                paths.any(|path| path.address == **address)
            };
            let missing = listed.iter().find(|address| !is_probed(address));
            missing.copied().map(Why::NotProbed)
        }
    }
}

/// The longest lease that ends before any peer takes over.
///
/// The last renewal can be as late as the moment of death; the last advertisement, from which the
/// peers count three intervals and a skew that may be next to nothing, can have been sent one interval
/// before it and have taken a moment less to arrive.
pub fn longest(interval: Duration) -> Duration {
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
