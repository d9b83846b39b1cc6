//! The story of a case.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};

use super::{
    Case, Passive, Story,
    stage::{PRIORITY, Stage, WEIGHT},
    timers::{CHANGED, ECHO, ECHO_RECEIVE, OURS, THEIRS, Timers},
    verdict::Verdict,
};
use crate::tshark;

/// What a daemon may take to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long packets are counted.
const WATCHED: Duration = Duration::from_secs(3);
/// How long something may take beyond what the protocol says: the machine's hiccups, and asking.
const NOISE: Duration = Duration::from_millis(600);
/// How long a hang lasts, beyond its detection.
const HANG: Duration = Duration::from_millis(500);

/// Part of a capture in which packets are counted: seconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Window(f64, f64);

pub(super) fn play(case: &Case, agent: &Path) -> Result<Verdict> {
    let mut stage = Stage::set(case, agent)?;
    let mut verdict = Verdict::default();
    let told = tell(case, &mut stage, &mut verdict).and_then(|()| {
        stage.end_capture()?;
        read_capture(case, &stage, &mut verdict)
    });
    if told.is_err() || !verdict.faults.is_empty() {
        stage.lab.keep_evidence();
    }
    told?;
    Ok(verdict)
}

fn tell(case: &Case, stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    stage.until_up()?;
    match case.story {
        Story::Agreement => agreement(stage, verdict, THEIRS),
        Story::Poll => poll(stage, verdict),
        Story::HeldDown => held_down(stage, verdict),
        Story::Stopped => stopped(stage, verdict),
        Story::TheirsHangs => theirs_hangs(stage, verdict),
        Story::OursHangs => ours_hangs(stage, verdict),
        Story::Echo => echo(stage, verdict),
        Story::EchoRefused => echo_refused(stage, verdict),
        Story::EchoOurs => echo_ours(stage, verdict),
    }
}

/// Compares what both sides say of their timers, and counts packets.
fn agreement(stage: &mut Stage, verdict: &mut Verdict, theirs: Timers) -> Result<()> {
    // The last change is in force when the poll has been answered.
    let agreed = || {
        stage.here().is_ok_and(|here| {
            here.detection_time_ms == Some(millis(OURS.detects(theirs)))
                && here.transmit_interval_ms == millis(OURS.transmits(theirs))
        })
    };
    stage.until("our timers are those of RFC 5880", agreed)?;
    let here = stage.here()?;
    verdict.equal(
        "we send every, ms",
        &here.transmit_interval_ms,
        &millis(OURS.transmits(theirs)),
    );
    verdict.equal(
        "we detect after, ms",
        &here.detection_time_ms,
        &Some(millis(OURS.detects(theirs))),
    );
    let there = stage.there()?;
    let heard = (
        there.remote_transmit_interval,
        there.remote_receive_interval,
        there.remote_detect_multiplier,
    );
    let ours = (
        whole_ms(OURS.transmit),
        whole_ms(OURS.receive),
        u64::from(OURS.multiplier),
    );
    verdict.equal(
        "they heard of us (transmit, receive, multiplier)",
        &heard,
        &ours,
    );
    let has = (there.transmit_interval, there.receive_interval);
    let told = (whole_ms(theirs.transmit), whole_ms(theirs.receive));
    verdict.equal("they have (transmit, receive)", &has, &told);

    let window = watch();
    stage.end_capture()?;
    let rate = |verdict: &mut Verdict, what: &str, source: &str, interval: Duration| {
        let filter = format!("bfd && {source}");
        let seen = window.count(&tshark::times(&stage.capture(), &filter)?);
        // RFC 5880 section 6.8.7: up to a quarter is taken off at random. A busy machine sends later.
        let least = WATCHED.as_secs_f64() / interval.as_secs_f64() / 2.0;
        let most = WATCHED.as_secs_f64() / (interval.as_secs_f64() * 0.75) + 2.0;
        verdict.between(what, seen, least as usize, most as usize);
        anyhow::Ok(())
    };
    let (from_us, from_them) = (source(stage, true), source(stage, false));
    rate(verdict, "packets of ours", &from_us, OURS.transmits(theirs))?;
    rate(
        verdict,
        "packets of theirs",
        &from_them,
        theirs.transmits(OURS),
    )
}

/// Theirs polls for its new timers, ours answers, and both go by them.
fn poll(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    agreed_before(stage)?;
    let before = now();
    let transmit = format!("transmit-interval {}", CHANGED.transmit.as_millis());
    let receive = format!("receive-interval {}", CHANGED.receive.as_millis());
    let session = stage.session.clone();
    stage.them.change(&session, &[&transmit, &receive])?;
    agreement(stage, verdict, CHANGED)?;
    let after = Window(before, f64::MAX);
    let count = |filter: &str, ours: bool| {
        let filter = format!("bfd && {filter} && {}", source(stage, ours));
        anyhow::Ok(after.count(&tshark::times(&stage.capture(), &filter)?))
    };
    let polls = count("bfd.flags.p == 1", false)?;
    verdict.between("their polls", polls, 1, 20);
    verdict.between(
        "our final packets",
        count("bfd.flags.f == 1", true)?,
        polls,
        polls,
    );
    let both = count("bfd.flags.p == 1 && bfd.flags.f == 1", true)?;
    verdict.equal("our packets that are both", &both, &0);
    Ok(())
}

/// Waits until what happens when a session comes Up has happened.
fn agreed_before(stage: &Stage) -> Result<()> {
    stage.until("the first timers are in force", || {
        stage
            .here()
            .is_ok_and(|here| here.detection_time_ms == Some(millis(OURS.detects(THEIRS))))
    })?;
    sleep(THEIRS.transmits(OURS) * 3);
    Ok(())
}

/// Held down by the operator there: no failure here, and back again.
fn held_down(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    let session = stage.session.clone();
    stage.them.change(&session, &["shutdown"])?;
    stage.until("we see them held down", || {
        stage.here().is_ok_and(|here| here.state == "down")
    })?;
    let told = stage.here()?.remote_state;
    verdict.equal("what they say", &told, &Some("admin_down".to_owned()));
    verdict.equal(
        "their session",
        &stage.there()?.status,
        &"shutdown".to_owned(),
    );
    sleep(OURS.detects(THEIRS) * 2);
    verdict.equal(
        "priority while they are held down",
        &stage.priority()?,
        &PRIORITY,
    );
    stage.them.change(&session, &["no shutdown"])?;
    stage.until_up()?;
    verdict.equal("priority afterwards", &stage.priority()?, &PRIORITY);
    Ok(())
}

/// A clean stop here is told, and is not a detection there.
fn stopped(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    stage.us.daemon().stop(PATIENCE)?;
    stage.until("they see us held down", || !stage.is_up_there())?;
    let there = stage.there()?;
    verdict.equal(
        "our diagnostic there",
        &there.remote_diagnostic,
        &"administratively down".to_owned(),
    );
    verdict.equal(
        "their diagnostic",
        &there.diagnostic,
        &"neighbor signaled session down".to_owned(),
    );
    stage.start_us()?;
    stage.until_up()
}

/// A hang there is detected here, moves the priority, and is over when it is over.
fn theirs_hangs(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    agreed_before(stage)?;
    verdict.equal("priority before", &stage.priority()?, &PRIORITY);
    let detection = OURS.detects(THEIRS);
    stage.them.daemon().freeze()?;
    let took = stage.until("we miss them", || {
        stage.here().is_ok_and(|here| here.state == "down")
    })?;
    // The last packet may have come a whole interval before.
    let least = detection - THEIRS.transmits(OURS) - Duration::from_millis(20);
    verdict.took("we missed them after", took, least, detection + NOISE);
    let diagnostic = stage.here()?.diagnostic;
    verdict.equal(
        "our diagnostic",
        &diagnostic,
        &"detection_time_expired".to_owned(),
    );
    stage.until("the priority moves", || {
        stage
            .priority()
            .is_ok_and(|priority| priority == PRIORITY - WEIGHT)
    })?;
    verdict.equal(
        "priority without them",
        &stage.priority()?,
        &(PRIORITY - WEIGHT),
    );
    stage.them.daemon().thaw()?;
    stage.until_up()?;
    stage.until("the priority comes back", || {
        stage.priority().is_ok_and(|priority| priority == PRIORITY)
    })?;
    Ok(())
}

/// A hang here is detected there.
fn ours_hangs(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    agreed_before(stage)?;
    let detection = THEIRS.detects(OURS);
    stage.us.daemon().freeze()?;
    let took = stage.until("they miss us", || !stage.is_up_there())?;
    let least = detection - OURS.transmits(THEIRS) - Duration::from_millis(20);
    verdict.took("they missed us after", took, least, detection + NOISE);
    verdict.equal(
        "their diagnostic",
        &stage.there()?.diagnostic,
        &"control detection time expired".to_owned(),
    );
    sleep(HANG);
    stage.us.daemon().thaw()?;
    stage.until_up()
}

/// Their echo packets come back by way of our data path.
fn echo(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    let is_asked = || {
        stage
            .them
            .counters(stage.ours)
            .is_ok_and(|c| c.echo_packet_input > 0)
    };
    stage.until("an echo packet comes back", is_asked)?;
    let before = stage.them.counters(stage.ours)?;
    let looped_before = looped(stage)?;
    let window = watch();
    let after = stage.them.counters(stage.ours)?;
    let looped = looped(stage)? - looped_before;
    let heard = stage.there()?.remote_echo_receive_interval;
    verdict.equal(
        "they heard what echo we take, ms",
        &heard,
        &whole_ms(ECHO_RECEIVE),
    );
    let sent = usize::try_from(after.echo_packet_output - before.echo_packet_output)?;
    let back = usize::try_from(after.echo_packet_input - before.echo_packet_input)?;
    let most = (WATCHED.as_secs_f64() / (ECHO.as_secs_f64() * 0.75)) as usize + 10;
    verdict.between("echo packets sent", sent, most / 3, most);
    // One or two are on their way when the counters are read.
    verdict.between("echo packets back", back, sent.saturating_sub(2), sent + 2);
    let reason = format!("frames counted as {LOOPED}");
    verdict.between(
        &reason,
        usize::try_from(looped)?,
        sent.saturating_sub(2),
        sent + 10,
    );
    verdict.equal(
        "sessions lost there",
        &after.session_down,
        &before.session_down,
    );
    verdict.equal("our state", &stage.here()?.state, &"up".to_owned());
    stage.end_capture()?;
    let times = |filter: &str| {
        tshark::times(
            &stage.capture(),
            &format!("udp.dstport == 3785 && {filter}"),
        )
    };
    let hops = |hops: u8| match stage.ours {
        std::net::IpAddr::V4(_) => format!("ip.ttl == {hops}"),
        std::net::IpAddr::V6(_) => format!("ipv6.hlim == {hops}"),
    };
    let seen = window.count(&times(&hops(255))?);
    let own = format!("eth.src == {} && {}", stage.mac(), hops(254));
    let returned = window.count(&times(&own)?);
    verdict.between(
        "echo packets captured on their way back",
        returned,
        seen.saturating_sub(2),
        seen + 2,
    );
    Ok(())
}

/// Who takes no echo packets gets none, and the session does not need them.
fn echo_refused(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    let before = stage.them.counters(stage.ours)?;
    watch();
    let after = stage.them.counters(stage.ours)?;
    verdict.equal(
        "they heard what echo we take, ms",
        &stage.there()?.remote_echo_receive_interval,
        &0,
    );
    verdict.equal("echo packets sent", &after.echo_packet_output, &0);
    verdict.equal(
        "sessions lost there",
        &after.session_down,
        &before.session_down,
    );
    verdict.equal("frames looped", &looped(stage)?, &0);
    Ok(())
}

/// Our echo packets come back from a host that forwards.
fn echo_ours(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
    stage.until("an echo packet comes back", || {
        stage.here().is_ok_and(|here| here.echoes_in > 0)
    })?;
    let lost = stage.them.counters(stage.ours)?.session_down;
    let before = stage.here()?;
    watch();
    let after = stage.here()?;
    let sent = usize::try_from(after.echoes_out - before.echoes_out)?;
    let back = usize::try_from(after.echoes_in - before.echoes_in)?;
    let most = (WATCHED.as_secs_f64() / (ECHO.as_secs_f64() * 0.75)) as usize + 10;
    verdict.between("echo packets of ours", sent, most / 3, most);
    verdict.between(
        "echo packets of ours back",
        back,
        sent.saturating_sub(2),
        sent + 2,
    );
    let lost_since = stage.them.counters(stage.ours)?.session_down;
    verdict.equal("sessions lost there", &lost_since, &lost);
    verdict.equal("our state", &after.state, &"up".to_owned());
    Ok(())
}

/// Under what the data path counts what it sends back.
const LOOPED: &str = "bfd_echo_looped";

fn looped(stage: &Stage) -> Result<u64> {
    stage.us.counted(LOOPED)
}

/// Has every packet of ours read by somebody else.
fn read_capture(case: &Case, stage: &Stage, verdict: &mut Verdict) -> Result<()> {
    let capture = stage.capture();
    let (faults, read) = tshark::bfd_faults(&capture, stage.ours)?;
    verdict.at_least("packets of ours that tshark has read", read, 5);
    for fault in faults {
        verdict.faults.push(format!("tshark: {fault}"));
    }
    let first = |ours| {
        let times = tshark::times(&capture, &format!("bfd && {}", source(stage, ours)))?;
        times.first().copied().context("nobody spoke BFD")
    };
    match case.passive {
        Passive::Nobody => {}
        Passive::Ours => verdict.equal("theirs began", &(first(false)? < first(true)?), &true),
        Passive::Theirs => verdict.equal("ours began", &(first(true)? < first(false)?), &true),
    }
    Ok(())
}

/// A filter for the packets of one side.
fn source(stage: &Stage, ours: bool) -> String {
    let address = if ours { stage.ours } else { stage.theirs };
    tshark::from(address)
}

/// Looks on for a while.
fn watch() -> Window {
    let from = now();
    sleep(WATCHED);
    Window(from, now())
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

impl Window {
    fn count(self, times: &[f64]) -> usize {
        let Self(from, until) = self;
        times
            .iter()
            .filter(|time| (from..until).contains(*time))
            .count()
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn whole_ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
