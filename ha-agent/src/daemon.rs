//! The running agent: its tasks, its signals, and what it tells its supervisor.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot, watch},
};

use crate::{
    api::{self, Writers},
    api::{Call, Request, Response},
    config::{Control, Loaded, Source},
    doctor,
    engine::{Ending, Engine},
    keeper,
    net::Netlink,
    supervisor::notify,
};

/// Requests that may wait for the engine.
const CALLS: usize = 32;

/// Runs the agent until it is told to stop: by SIGTERM or SIGINT, which releases its groups, or by SIGUSR2, which
/// leaves them to the next agent. SIGHUP has it read its configuration again.
///
/// # Errors
/// If it cannot start, or an input that it cannot do without breaks.
pub async fn run(loaded: Loaded, source: Source) -> Result<()> {
    let config = &loaded.config;
    // From the beginning, so that it is no end before it is listened to.
    let hangup = signal(SignalKind::hangup())?;
    let listener = api::Listener::bind(&config.control.socket)?;
    let writers = writers(&config.control)?;
    let advice = doctor::advise(config.clone());
    let engine = Engine::prepare(loaded, source, Netlink::connect()?).await?;
    let events = engine.events()?;
    keeper::raise_priority("the engine");

    let (calls, requests) = mpsc::channel(CALLS);
    let reloads = tokio::spawn(reload_on_signal(hangup, calls.clone()));
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
    reloads.abort();
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
    let ending = tokio::select! {
        _ = terminate.recv() => Ending::Release,
        _ = interrupt.recv() => Ending::Release,
        _ = restart.recv() => Ending::HandOver,
    };
    match ending {
        Ending::Release => tracing::info!("stopping"),
        Ending::HandOver => tracing::info!("stopping, to be started again"),
    }
    // The engine is gone only when the agent stops anyway.
    let _ = stop.send(Some(ending));
    Ok(())
}

/// Has the configuration read again with each SIGHUP. How that went is in the log and in the status.
async fn reload_on_signal(mut hangup: Signal, calls: mpsc::Sender<Call>) {
    while hangup.recv().await.is_some() {
        let (reply, answer) = oneshot::channel::<Result<Response, _>>();
        let request = Request::Reload { dry_run: false };
        if calls.send(Call { request, reply }).await.is_err() {
            return;
        }
        // The engine has logged it.
        let _ = answer.await;
    }
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
