//! What a supervisor such as systemd is told (sd_notify(3)).

use sd_notify::NotifyState;

/// Tells the supervisor. Without one this does nothing.
pub(crate) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot notify the supervisor: {error}");
    }
}

/// The configuration is being changed, since now.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("cannot notify the supervisor: {error}"),
    }
}

/// It has been changed, or not: the log says.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}
