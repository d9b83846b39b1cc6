//! Echo packets: theirs by way of our data path, ours by way of a host that forwards.

use anyhow::Result;

use super::{
    stage::Stage,
    timers::{ECHO, ECHO_RECEIVE, whole_ms},
    verdict::Verdict,
    window::{WATCHED, watch},
};
use crate::tshark;

/// Under what the data path counts what it sends back.
const LOOPED: &str = "bfd_echo_looped";

/// Their echo packets come back by way of our data path.
pub(super) fn theirs(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
pub(super) fn refused(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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
pub(super) fn ours(stage: &mut Stage, verdict: &mut Verdict) -> Result<()> {
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

fn looped(stage: &Stage) -> Result<u64> {
    stage.us.counted(LOOPED)
}
