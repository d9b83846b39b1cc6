//! The story of a case.

use std::{path::Path, thread::sleep, time::Duration};

use anyhow::{Context, Result};

use super::{
    Case, Passive, Story, echo, failures,
    stage::Stage,
    timers::{CHANGED, OURS, THEIRS, Timers, millis, whole_ms},
    verdict::Verdict,
    window::{self, WATCHED, Window, watch},
};
use crate::tshark;

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
        Story::HeldDown => failures::held_down(stage, verdict),
        Story::Stopped => failures::stopped(stage, verdict),
        Story::TheirsHangs => failures::theirs_hangs(stage, verdict),
        Story::OursHangs => failures::ours_hangs(stage, verdict),
        Story::Echo => echo::theirs(stage, verdict),
        Story::EchoRefused => echo::refused(stage, verdict),
        Story::EchoOurs => echo::ours(stage, verdict),
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
    let before = window::now();
    let transmit = format!("transmit-interval {}", CHANGED.transmit.as_millis());
    let receive = format!("receive-interval {}", CHANGED.receive.as_millis());
    let session = stage.session.clone();
    stage.them.change(&session, &[&transmit, &receive])?;
    agreement(stage, verdict, CHANGED)?;
    let after = Window::since(before);
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

/// Waits until what happens when a session comes Up has happened.
pub(super) fn agreed_before(stage: &Stage) -> Result<()> {
    stage.until("the first timers are in force", || {
        stage
            .here()
            .is_ok_and(|here| here.detection_time_ms == Some(millis(OURS.detects(THEIRS))))
    })?;
    sleep(THEIRS.transmits(OURS) * 3);
    Ok(())
}
