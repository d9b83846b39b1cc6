//! Sessions that end: held down, stopped, and hangs of either side.

use std::{thread::sleep, time::Duration};

use anyhow::Result;

use super::{
    play::agreed_before,
    stage::{PRIORITY, Stage, WEIGHT},
    timers::{OURS, THEIRS},
    verdict::Verdict,
};

/// What a daemon may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long something may take beyond what the protocol says: the machine's hiccups, and asking.
const NOISE: Duration = Duration::from_millis(600);

/// How long a hang lasts, beyond its detection.
const HANG: Duration = Duration::from_millis(500);

/// Held down by the operator there: no failure here, and back again.
pub(super) fn held_down(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
pub(super) fn stopped(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
pub(super) fn theirs_hangs(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
pub(super) fn ours_hangs(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
