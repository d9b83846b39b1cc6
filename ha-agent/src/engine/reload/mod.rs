//! Another configuration, while everything goes on.
//!
//! ```text
//!   look ──────► admit ─────► open ────► extend ────────► commit
//!   read, check,  ask whether  sockets    interfaces, maps, groups let go, elections told,
//!   compare       MACs get                filters, routes   what is gone removed
//!                 through
//! ```
//!
//! All that can fail is done before anything that is served is touched: until the end of `extend` the old
//! configuration is in force, and an error takes back what was added. What is left to `commit` is to tell
//! elections and to remove; should the kernel refuse even that, all else is done, and the operator is told.
//!
//! Groups are known by their names. One that stays keeps its election, its slot and its counters, whatever its
//! place in the file. The kernel is asked in tasks beside the elections, which go on meanwhile.

mod commit;
mod extend;
mod look;
mod merge;

use std::time::{Duration, SystemTime};

use anyhow::Result;
use ha_core::time::Time;

use self::look::Next;
use super::{Engine, history::seconds};
use crate::{
    api::{Refused, types},
    config::{Source, Sum},
    supervisor,
};

/// Where the configuration is from, and how the last attempt to change it went.
#[derive(Debug)]
pub(super) struct Reloads {
    source: Source,
    sum: Sum,
    since: SystemTime,
    last: Option<Last>,
    /// A longer lease, and when everybody can be relied on to know why.
    longer: Option<(Time, Duration)>,
}

#[derive(Debug)]
struct Last {
    at: SystemTime,
    error: Option<String>,
}

impl Reloads {
    pub(super) fn new(source: Source, sum: Sum) -> Self {
        Self {
            source,
            sum,
            since: SystemTime::now(),
            last: None,
            longer: None,
        }
    }

    pub(super) fn status(&self) -> types::Configuration {
        types::Configuration {
            path: self.source.path.display().to_string(),
            checksum: self.sum.to_string(),
            since: seconds(self.since),
            last_reload: self.last.as_ref().map(|last| seconds(last.at)),
            last_error: self.last.as_ref().and_then(|last| last.error.clone()),
        }
    }
}

impl Engine {
    /// Reads the configuration again and changes what differs, or only says what would be changed.
    ///
    /// # Errors
    /// If the lease was lost meanwhile, and there is no other.
    pub(super) async fn reload(
        &mut self,
        dry_run: bool,
    ) -> Result<Result<types::Reloaded, Refused>> {
        let result = if dry_run {
            self.look().await.map(|next| next.report(false, Vec::new()))
        } else {
            supervisor::reloading();
            let result = self.change().await;
            supervisor::ready();
            self.note(&result);
            result
        };
        if self.lease.is_none() {
            self.take_lease()?;
        }
        Ok(result)
    }

    async fn change(&mut self) -> Result<types::Reloaded, Refused> {
        let mut next = self.look().await?;
        if next.difference.changes.is_empty() && next.loaded.config == self.config {
            self.reloads.sum = next.loaded.sum;
            return Ok(next.report(true, Vec::new()));
        }
        self.admit(&mut next).await?;
        let opened = self.open(&next)?;
        let slots = self.extend(&next).await?;
        let report = next.report(true, Vec::new());
        let problems = self.commit(next, opened, &slots).await;
        Ok(types::Reloaded { problems, ..report })
    }

    /// Goes on with the configuration in force on interfaces that are others than before, although they have their
    /// names: their groups begin anew. What else there is goes on. What could not be done.
    pub(super) async fn renew(&mut self) -> Result<Vec<String>, Refused> {
        let mut next = self.look_again().await?;
        self.admit(&mut next).await?;
        let opened = self.open(&next)?;
        let slots = self.extend(&next).await?;
        let since = self.reloads.since;
        let problems = self.commit(next, opened, &slots).await;
        self.reloads.since = since;
        Ok(problems)
    }

    fn note(&mut self, result: &Result<types::Reloaded, Refused>) {
        let error = match result {
            Ok(reloaded) => {
                for change in &reloaded.changes {
                    tracing::info!("configuration: {change}");
                }
                for problem in &reloaded.problems {
                    tracing::error!("configuration: {problem}");
                }
                let text = format!("{} changes are in force", reloaded.changes.len());
                tracing::info!("configuration: {text}");
                self.history.node("reloaded", text);
                (!reloaded.problems.is_empty()).then(|| reloaded.problems.join("; "))
            }
            Err(refused) => {
                let text = format!("the configuration stays as it is: {refused}");
                tracing::error!("{text}");
                self.history.node("reload_refused", text);
                Some(refused.to_string())
            }
        };
        let at = SystemTime::now();
        self.reloads.last = Some(Last { at, error });
    }

    /// Makes the lease longer when its time has come.
    pub(super) fn settle_lease(&mut self) {
        let now = self.now();
        let Some((_, length)) = self.reloads.longer.filter(|(at, _)| *at <= now) else {
            return;
        };
        self.reloads.longer = None;
        if let Err(error) = self.keeper.set_length(length) {
            tracing::error!("cannot make the lease longer: {error:#}");
        }
    }
}

impl Next {
    fn report(&self, applied: bool, problems: Vec<String>) -> types::Reloaded {
        types::Reloaded {
            applied,
            checksum: self.loaded.sum.to_string(),
            changes: self.difference.changes.clone(),
            problems,
        }
    }
}

fn failed(error: &anyhow::Error) -> Refused {
    Refused::Failed(format!(
        "{error:#}; the configuration from before is in force"
    ))
}
