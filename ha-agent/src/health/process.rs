//! Whether a process runs (keepalived's `track_process`), and at once that it has ended.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::broadcast, time::sleep};

use super::Look;
use crate::{config::track, dataplane::Exits};

/// Ends that may wait to be looked at; beyond that all are looked for.
const QUEUE: usize = 64;
/// How long the threads of a process may take to end after the first one.
const PATIENCE: Duration = Duration::from_millis(20);
const GLANCE: Duration = Duration::from_millis(1);

/// The ends of processes, as the kernel tells of them. Clones share it.
#[derive(Clone, Debug)]
pub struct Processes {
    /// `None` if the kernel does not tell: then ends are seen at intervals.
    exits: Arc<Mutex<Option<Exits>>>,
    ended: broadcast::Sender<u32>,
}

impl Processes {
    /// Watches with `exits`, if there is that.
    #[must_use]
    pub fn new(exits: Option<Exits>) -> Self {
        Self {
            exits: Arc::new(Mutex::new(exits)),
            ended: broadcast::Sender::new(QUEUE),
        }
    }

    /// Has the kernel leave the lease alone when this process ends.
    pub fn spare_lease(&self) {
        self.with(|exits| exits.forget(std::process::id()));
    }

    /// The kernel says that `process` ends.
    pub fn ended(&self, process: u32) {
        // Nobody may be watching.
        let _ = self.ended.send(process);
    }

    fn with(&self, act: impl FnOnce(&mut Exits)) {
        let mut exits = self.exits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exits) = &mut *exits {
            act(exits);
        }
    }
}

pub(super) struct Process {
    which: track::Process,
    processes: Processes,
    ended: broadcast::Receiver<u32>,
    /// Whose end is reported.
    watched: BTreeSet<u32>,
    /// Those of them that are ending.
    ending: BTreeSet<u32>,
}

impl Process {
    pub(super) fn new(which: &track::Process, processes: &Processes) -> Self {
        Self {
            which: which.clone(),
            ended: processes.ended.subscribe(),
            processes: processes.clone(),
            watched: BTreeSet::new(),
            ending: BTreeSet::new(),
        }
    }

    pub(super) async fn look(&mut self) -> Look {
        let mut found = match &self.which {
            track::Process::Name(name) => by_name(name),
            track::Process::PidFile(file) => match by_file(file) {
                Ok(process) => BTreeSet::from([process]),
                Err(why) => return Look::fail(why),
            },
        };
        for process in std::mem::take(&mut self.ending) {
            if !outlives_its_first_thread(process).await {
                found.remove(&process);
            }
        }
        // Watched first and then looked at, so that no end falls between.
        self.watch(&found);
        found.retain(|process| is_running(*process));
        match found.first() {
            None => Look::fail("does not run"),
            Some(first) if found.len() == 1 => Look::pass(format!("runs as {first}")),
            Some(_) => Look::pass(format!("{} of them run", found.len())),
        }
    }

    pub(super) async fn told(&mut self) {
        loop {
            match self.ended.recv().await {
                Ok(process) if self.watched.contains(&process) => {
                    self.ending.insert(process);
                    return;
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn watch(&mut self, found: &BTreeSet<u32>) {
        let watched = &self.watched;
        self.processes.with(|exits| {
            for process in watched.difference(found) {
                exits.forget(*process);
            }
            for process in found.difference(watched) {
                if let Err(error) = exits.watch(*process) {
                    tracing::warn!("{error:#}: its end is seen at intervals");
                }
            }
        });
        self.watched.clone_from(found);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.watch(&BTreeSet::new());
    }
}

/// All processes of this name, which the kernel cuts to 15 octets (`TASK_COMM_LEN`).
fn by_name(name: &str) -> BTreeSet<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let named = |process: &u32| {
        let comm = fs::read(format!("/proc/{process}/comm")).unwrap_or_default();
        let cut = name.as_bytes().get(..15).unwrap_or(name.as_bytes());
        comm.strip_suffix(b"\n") == Some(cut)
    };
    numbers.filter(named).collect()
}

fn by_file(file: &Path) -> Result<u32, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let number = text.trim().parse();
    number.map_err(|_| format!("{} does not hold the number of a process", file.display()))
}

/// Whether it is there, and not dead but for its parent's knowledge.
fn is_running(process: u32) -> bool {
    is_alive(&format!("/proc/{process}/stat")) || has_living_threads(process)
}

/// The state is the first letter behind the name, which may itself contain anything (proc(5)).
fn is_alive(stat: &str) -> bool {
    let Ok(stat) = fs::read_to_string(stat) else {
        return false;
    };
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// Whether a thread other than the first one lives.
fn has_living_threads(process: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return false;
    };
    threads
        .filter_map(|thread| thread.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|thread| *thread != process)
        .any(|thread| is_alive(&format!("/proc/{process}/task/{thread}/stat")))
}

/// The first thread ends. Mostly all do; but it may have left the others behind (pthread_exit(3)).
async fn outlives_its_first_thread(process: u32) -> bool {
    let mut waited = Duration::ZERO;
    while has_living_threads(process) {
        if waited >= PATIENCE {
            return true;
        }
        sleep(GLANCE).await;
        waited += GLANCE;
    }
    false
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ha_core::track::Observation;

    use super::{Process, Processes, is_running, track};

    #[tokio::test]
    async fn a_process_is_found_by_its_file_and_missed_when_it_ends() {
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        let file = std::env::temp_dir().join(format!("ha-agent-pid-{}", std::process::id()));
        std::fs::write(&file, format!("{}\n", child.id())).unwrap();
        let which = track::Process::PidFile(file.clone());
        let mut process = Process::new(&which, &Processes::new(None));
        assert_eq!(process.look().await.observation, Observation::Pass);
        child.kill().unwrap();
        // A zombie until it is waited for, which is not running either.
        while is_running(child.id()) {
            std::thread::yield_now();
        }
        assert_eq!(process.look().await.observation, Observation::Fail);
        child.wait().unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(process.look().await.observation, Observation::Fail);
    }

    #[tokio::test]
    async fn a_process_is_found_by_its_name() {
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        let find = |name: &str| {
            let which = track::Process::Name(name.to_owned());
            Process::new(&which, &Processes::new(None))
        };
        let mut own = find(own.trim());
        assert_eq!(own.look().await.observation, Observation::Pass);
        let mut nobody = find("no-such-program");
        assert_eq!(nobody.look().await.observation, Observation::Fail);
    }
}
