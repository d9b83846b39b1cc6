//! `[group.election]`.

use std::{num::NonZeroU8, time::Duration};

use ha_core::vrrp::{Centiseconds, ChecksumChoice, ChecksumV4, Peers, Version};
use toml::Spanned;

use super::{
    super::{
        Election, Vrrp,
        error::Report,
        file,
        value::{duration, number, shown, word},
    },
    optional, peers,
};

/// Virtual router ids (RFC 9568 section 5.2.3).
const VRIDS: std::ops::RangeInclusive<i64> = 1..=255;
/// Priorities of a router that has not let go (RFC 9568 section 5.2.4).
const PRIORITIES: std::ops::RangeInclusive<i64> = 1..=255;
/// The default priority (RFC 9568 section 6.1).
const PRIORITY: NonZeroU8 = NonZeroU8::new(100).expect("it is not zero");
/// How often the Active node advertises unless the file says otherwise.
const ADVERT_INTERVAL: Centiseconds = Centiseconds::new(10).expect("1 to 4095 are an interval");
/// The part of an advertisement interval, as a divisor, in which rivals can hear each other.
const CONTENTION: u32 = 8;
/// How long an owner that hands over finishes what it has begun: the handshake of a client on the same continent.
const SETTLE: Duration = Duration::from_millis(100);
/// Longest wait that makes sense before a take-over: what keepalived allows its delays, rounded.
const LONGEST_WAIT: Duration = Duration::from_secs(1_000);

/// An election, whose defaults may still wait for the lease.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Manual {
        vrid: Option<NonZeroU8>,
    },
    Vrrp {
        vrrp: Vrrp,
        /// Whether `yield_grace` is to follow the lease.
        grace_of_lease: bool,
        /// Whether `contention` depends on how many nodes there are.
        default_contention: bool,
    },
}

impl Kind {
    /// The virtual router id, of which each type of election can have one.
    pub(super) const fn vrid(&self) -> Option<NonZeroU8> {
        match self {
            Self::Manual { vrid } => *vrid,
            Self::Vrrp { vrrp, .. } => Some(vrrp.vrid),
        }
    }

    /// The virtual router id if there are advertisements.
    pub(super) const fn advertises(&self) -> Option<NonZeroU8> {
        match self {
            Self::Manual { .. } => None,
            Self::Vrrp { vrrp, .. } => Some(vrrp.vrid),
        }
    }

    /// The keys of VRRP, if it decides.
    pub(super) const fn vrrp(&self) -> Option<&Vrrp> {
        match self {
            Self::Manual { .. } => None,
            Self::Vrrp { vrrp, .. } => Some(vrrp),
        }
    }

    pub(super) fn finish(self, lease: Duration, is_pair: bool) -> Election {
        match self {
            Self::Manual { .. } => Election::Manual,
            Self::Vrrp {
                mut vrrp,
                grace_of_lease,
                default_contention,
            } => {
                if default_contention && is_pair {
                    vrrp.contention = Duration::ZERO;
                }
                if grace_of_lease {
                    vrrp.yield_grace = lease.saturating_add(vrrp.advert_interval.duration());
                }
                Election::Vrrp(vrrp)
            }
        }
    }
}

pub(super) fn election(
    written: &Spanned<file::Election>,
    group: &str,
    report: &mut Report<'_>,
) -> Option<Kind> {
    #[derive(Clone, Copy)]
    enum Word {
        Vrrp,
        Manual,
    }
    let key = format!("{group}.election");
    let election = written.get_ref();
    let words = [("vrrp", Word::Vrrp), ("manual", Word::Manual)];
    let kind = word(report, &format!("{key}.type"), &election.kind, &words)?;
    match kind {
        Word::Manual => manual(election, &key, report),
        Word::Vrrp => vrrp(written, &key, report),
    }
}

fn manual(election: &file::Election, key: &str, report: &mut Report<'_>) -> Option<Kind> {
    let foreign = [
        ("version", election.version.as_ref().map(Spanned::span)),
        ("peers", election.peers.as_ref().map(Spanned::span)),
        ("priority", election.priority.as_ref().map(Spanned::span)),
        (
            "advert_interval",
            election.advert_interval.as_ref().map(Spanned::span),
        ),
        ("preempt", election.preempt.as_ref().map(Spanned::span)),
        (
            "preempt_delay",
            election.preempt_delay.as_ref().map(Spanned::span),
        ),
        (
            "startup_delay",
            election.startup_delay.as_ref().map(Spanned::span),
        ),
        ("checksum", election.checksum.as_ref().map(Spanned::span)),
        ("settle", election.settle.as_ref().map(Spanned::span)),
        (
            "yield_grace",
            election.yield_grace.as_ref().map(Spanned::span),
        ),
        (
            "contention",
            election.contention.as_ref().map(Spanned::span),
        ),
    ];
    for (name, span) in foreign {
        if let Some(span) = span {
            report.add(
                span,
                format!("{key}.{name}"),
                "a manual election has no such key",
                "remove it, or write type = \"vrrp\"",
            );
        }
    }
    let vrid = match &election.vrid {
        None => None,
        Some(written) => Some(vrid(written, key, report)?),
    };
    Some(Kind::Manual { vrid })
}

fn vrrp(written: &Spanned<file::Election>, key: &str, report: &mut Report<'_>) -> Option<Kind> {
    let election = written.get_ref();
    let vrid = match &election.vrid {
        Some(vrid) => self::vrid(vrid, key, report),
        None => {
            report.add(
                written.span(),
                format!("{key}.vrid"),
                "a VRRP election needs a virtual router id",
                "add vrid = 1 to 255, the same on all nodes of the group",
            );
            None
        }
    };
    let priority = optional(election.priority.as_ref(), PRIORITY, |priority| {
        let number: u8 = number(report, &format!("{key}.priority"), priority, PRIORITIES)?;
        NonZeroU8::new(number)
    });
    let version = optional(election.version.as_ref(), Version::V3, |version| {
        self::version(version, key, report)
    });
    let peers = optional(election.peers.as_ref(), Peers::Multicast, |peers| {
        peers::peers(peers, key, report)
    });
    let interval = optional(
        election.advert_interval.as_ref(),
        version.map_or(ADVERT_INTERVAL, default_interval),
        |written| advert_interval(written, version, key, report),
    );
    let checksum = optional(
        election.checksum.as_ref(),
        ChecksumChoice::AUTO,
        |checksum| {
            let words = [
                ("auto", ChecksumChoice::AUTO),
                ("message", ChecksumChoice::Fixed(ChecksumV4::Message)),
                (
                    "pseudo-header",
                    ChecksumChoice::Fixed(ChecksumV4::PseudoHeader),
                ),
            ];
            word(report, &format!("{key}.checksum"), checksum, &words)
        },
    );
    let mut wait = |name: &str, value: &Option<Spanned<String>>, default: Duration| {
        optional(value.as_ref(), default, |value| {
            let bounds = Duration::ZERO..=LONGEST_WAIT;
            duration(report, &format!("{key}.{name}"), value, bounds)
        })
    };
    let yield_grace = wait("yield_grace", &election.yield_grace, Duration::ZERO);
    let settle = wait("settle", &election.settle, SETTLE);
    let rivals = interval.map_or(Duration::ZERO, |interval| interval.duration() / CONTENTION);
    let contention = wait("contention", &election.contention, rivals);
    let preempt_delay = wait("preempt_delay", &election.preempt_delay, Duration::ZERO);
    let startup_delay = wait("startup_delay", &election.startup_delay, Duration::ZERO);
    Some(Kind::Vrrp {
        vrrp: Vrrp {
            version: version?,
            vrid: vrid?,
            peers: peers?,
            priority: priority?,
            advert_interval: interval?,
            preempt: election.preempt.as_ref().is_none_or(|p| *p.get_ref()),
            preempt_delay: preempt_delay?,
            startup_delay: startup_delay?,
            checksum: checksum?,
            settle: settle?,
            yield_grace: yield_grace?,
            contention: contention?,
        },
        grace_of_lease: election.yield_grace.is_none(),
        default_contention: election.contention.is_none(),
    })
}

fn vrid(written: &Spanned<i64>, key: &str, report: &mut Report<'_>) -> Option<NonZeroU8> {
    let number: u8 = number(report, &format!("{key}.vrid"), written, VRIDS)?;
    NonZeroU8::new(number)
}

fn version(written: &Spanned<i64>, key: &str, report: &mut Report<'_>) -> Option<Version> {
    match number(report, &format!("{key}.version"), written, 2..=3)? {
        2_u8 => Some(Version::V2),
        _ => Some(Version::V3),
    }
}

/// Version 2 counts whole seconds.
const fn default_interval(version: Version) -> Centiseconds {
    match version {
        Version::V2 => Centiseconds::SECOND,
        Version::V3 => ADVERT_INTERVAL,
    }
}

/// The interval, which the wire holds in hundredths of a second, or in version 2 in seconds.
fn advert_interval(
    written: &Spanned<String>,
    version: Option<Version>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<Centiseconds> {
    let key = format!("{key}.advert_interval");
    let bounds = Centiseconds::MIN.duration()..=Centiseconds::MAX.duration();
    let interval = duration(report, &key, written, bounds)?;
    let centiseconds = interval.as_millis() / 10;
    let exact = u16::try_from(centiseconds)
        .ok()
        .and_then(Centiseconds::new)
        .filter(|exact| exact.duration() == interval);
    if exact.is_none() {
        report.add(
            written.span(),
            &*key,
            format!(
                "{} is not a whole number of hundredths of a second, as VRRP sends it",
                shown(interval)
            ),
            format!("write \"{}ms\"", centiseconds * 10),
        );
    }
    let exact = exact?;
    if version.is_some_and(|version| !version.can_name(exact)) {
        report.add(
            written.span(),
            key,
            format!(
                "{} is not a whole number of seconds, as VRRP version 2 sends it",
                shown(interval)
            ),
            "write \"1s\" or more seconds, the same on all nodes, or use version = 3",
        );
        return None;
    }
    Some(exact)
}
