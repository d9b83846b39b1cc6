//! The running agent: its tasks, its signals, and what it tells its supervisor.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

use crate::{
    api::{self, Writers},
    config::{Config, Control},
    doctor,
    engine::{Ending, Engine},
    keeper,
    net::Netlink,
};

/// Requests that may wait for the engine.
const CALLS: usize = 32;

/// Runs the agent until it is told to stop: by SIGTERM or SIGINT, which releases its groups, or by SIGUSR2, which
/// leaves them to the next agent.
///
/// # Errors
/// If it cannot start, or an input that it cannot do without breaks.
pub async fn run(config: Config) -> Result<()> {
    let listener = api::Listener::bind(&config.control.socket)?;
    let writers = writers(&config.control)?;
    let advice = doctor::advise(config.clone());
    let engine = Engine::prepare(config, Netlink::connect()?).await?;
    let events = engine.events()?;
    keeper::raise_priority("the engine");

    let (calls, requests) = mpsc::channel(CALLS);
    let server = tokio::spawn(api::serve(listener, writers, calls));
    let (stop, stopped) = watch::channel(None);
    let signals = tokio::spawn(wait_for_signal(stop));
    let watchdog = tokio::spawn(feed_watchdog());
    // Beside the elections, which may have little time left of an older agent's lease.
    let advice = tokio::spawn(advice);
    notify(&[NotifyState::Ready]);
    tracing::info!("ready");

    let result = engine.run(requests, events, stopped).await;
    notify(&[NotifyState::Stopping]);
    watchdog.abort();
    advice.abort();
    signals.abort();
    server.abort();
    // The socket's file goes away with the task.
    let _ = server.await;
    result
}

fn writers(control: &Control) -> Result<Writers> {
    let Some(name) = &control.group else {
        return Ok(Writers { group: None });
    };
    let group = unistd::Group::from_name(name)
        .with_context(|| format!("cannot look up the group {name}"))?
        .with_context(|| format!("control.group: there is no group {name}: create it first"))?;
    Ok(Writers {
        group: Some(group.gid),
    })
}

async fn wait_for_signal(stop: watch::Sender<Option<Ending>>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut restart = signal(SignalKind::user_defined2())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let ending = loop {
        tokio::select! {
            _ = terminate.recv() => break Ending::Release,
            _ = interrupt.recv() => break Ending::Release,
            _ = restart.recv() => break Ending::HandOver,
            _ = hangup.recv() => tracing::warn!(
                "SIGHUP: a new configuration is read at the next start only"
            ),
        }
    };
    match ending {
        Ending::Release => tracing::info!("stopping"),
        Ending::HandOver => tracing::info!("stopping, to be started again"),
    }
    // The engine is gone only when the agent stops anyway.
    let _ = stop.send(Some(ending));
    Ok(())
}

/// Tells the supervisor that the runtime still runs, as often as it wants to know.
async fn feed_watchdog() {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        notify(&[NotifyState::Watchdog]);
    }
}

/// Without a supervisor this does nothing.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot notify the supervisor: {error}");
    }
}
