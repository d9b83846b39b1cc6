//! Checks: whether this node may serve, and how much it should.
//!
//! Each check is a task that looks, at once when something tells of a change and otherwise at intervals.
//! What it sees comes to the engine, which makes states, priorities and faults of it (`ha_core::track`).
//!
//! | file | looks at | is told by |
//! |---|---|---|
//! | [`interface`] | carrier of a link | netlink |
//! | [`route`] | the main routing table | netlink |
//! | [`bfd`] | whether a BFD session is Up | the session |
//! | [`process`] | whether a process runs | the tracepoint of ending processes |
//! | [`file`] | the number in a file | inotify |
//! | [`script`], [`tcp`], [`http`] | what they are told | nothing |

mod bfd;
mod connect;
mod file;
mod http;
mod interface;
mod process;
mod route;
mod script;
mod tcp;

use std::time::{Duration, SystemTime};

use ha_core::track::{Debounce, Observation, State};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{sleep, timeout},
};

use self::connect::Connector;
pub use self::{connect::Vips, process::Processes};
use crate::{
    bfd::Standings,
    config::track::{Check, Kind},
    net::{Changes, Netlink},
};

/// What a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which check, by its number.
    check: u64,
    look: Look,
}

/// One look.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    observation: Observation,
    /// Why, in a few words for the status.
    note: String,
}

/// A check and what it says.
#[derive(Debug)]
pub struct Entry {
    /// What it looks at.
    pub check: Check,
    /// Since when it says so.
    pub since: SystemTime,
    /// What was seen last, in a few words.
    pub note: String,
    debounce: Debounce,
    /// No other check has it, or had it.
    number: u64,
    _task: Task,
}

/// The task of a check. Ends with this.
#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All checks, running.
#[derive(Debug)]
pub struct Health {
    entries: Vec<Entry>,
    seen: mpsc::UnboundedReceiver<Seen>,
    teller: mpsc::UnboundedSender<Seen>,
    /// How many checks have been begun.
    begun: u64,
}

/// What the checks look with.
#[derive(Clone, Debug)]
pub struct Means {
    /// To ask the kernel.
    pub netlink: Netlink,
    /// To be told by it.
    pub changes: Changes,
    /// The ends of processes.
    pub processes: Processes,
    /// What the BFD sessions say, by their places in the configuration.
    pub standings: Standings,
    /// The virtual IPs of the node.
    pub vips: Vips,
}

impl Means {
    fn connector(&self) -> Connector {
        Connector::new(self.vips.clone())
    }
}

impl Health {
    /// Starts a task for each check.
    #[must_use]
    pub fn start(checks: Vec<Check>, means: &Means) -> Self {
        let (teller, seen) = mpsc::unbounded_channel();
        let mut health = Self {
            entries: Vec::new(),
            seen,
            teller,
            begun: 0,
        };
        health.set(
            checks.into_iter().map(|check| (check, None)).collect(),
            means,
        );
        health
    }

    /// Has these checks from now on. Each that goes on comes with the place that it has had.
    pub fn set(&mut self, checks: Vec<(Check, Option<usize>)>, means: &Means) {
        let old = std::mem::take(&mut self.entries);
        let mut old: Vec<_> = old.into_iter().map(Some).collect();
        for (check, from) in checks {
            let kept = from.and_then(|from| old.get_mut(from)?.take());
            let entry = match kept {
                // What it names by places may have other places now.
                Some(kept) => Entry { check, ..kept },
                None => self.begin(check, means),
            };
            self.entries.push(entry);
        }
    }

    fn begin(&mut self, check: Check, means: &Means) -> Entry {
        self.begun += 1;
        let number = self.begun;
        let looker = Looker::new(&check.kind, means);
        let (interval, limit) = (check.interval, check.timeout);
        let task = tokio::spawn(run(number, looker, interval, limit, self.teller.clone()));
        Entry {
            since: SystemTime::now(),
            note: "not looked at yet".to_owned(),
            debounce: Debounce::new(check.rise, check.fall),
            number,
            _task: Task(task.abort_handle()),
            check,
        }
    }

    /// Waits for what a check sees next.
    pub async fn next(&mut self) -> Seen {
        match self.seen.recv().await {
            Some(seen) => seen,
            // Never: the other end is kept beside this one.
            None => std::future::pending().await,
        }
    }

    /// Takes note of what was seen. If a check says something else now: its place, what it said before, and the check.
    pub fn observe(&mut self, seen: Seen) -> Option<(usize, State, &Entry)> {
        let mut entries = self.entries.iter();
        // It may have been given up meanwhile.
        let place = entries.position(|entry| entry.number == seen.check)?;
        let entry = &mut self.entries[place];
        entry.note = seen.look.note;
        let before = entry.state();
        if !entry.debounce.observe(seen.look.observation) {
            return None;
        }
        entry.since = SystemTime::now();
        Some((place, before, entry))
    }

    /// What a check says.
    #[must_use]
    pub fn state(&self, check: usize) -> State {
        let entry = self.entries.get(check);
        entry.map_or(State::Unknown, Entry::state)
    }

    /// All checks.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    /// What it says.
    #[must_use]
    pub const fn state(&self) -> State {
        self.debounce.state()
    }
}

impl Look {
    fn pass(note: impl Into<String>) -> Self {
        Self {
            observation: Observation::Pass,
            note: note.into(),
        }
    }

    fn nothing(note: impl Into<String>) -> Self {
        Self {
            observation: Observation::Nothing,
            note: note.into(),
        }
    }

    fn fail(note: impl Into<String>) -> Self {
        Self {
            observation: Observation::Fail,
            note: note.into(),
        }
    }
}

/// One of each kind, ready to look.
enum Looker {
    Interface(interface::Interface),
    Script(script::Script),
    Process(process::Process),
    Tcp(tcp::Tcp),
    Http(http::Http),
    File(file::File),
    Route(route::Route),
    Bfd(bfd::Bfd),
}

impl Looker {
    fn new(kind: &Kind, means: &Means) -> Self {
        match kind {
            Kind::Interface { interface } => {
                Self::Interface(interface::Interface::new(interface, means))
            }
            Kind::Script { command } => Self::Script(script::Script::new(command)),
            Kind::Process(which) => Self::Process(process::Process::new(which, &means.processes)),
            Kind::Tcp { address } => Self::Tcp(tcp::Tcp::new(*address, means.connector())),
            Kind::Http(http) => Self::Http(http::Http::new(http, means.connector())),
            Kind::File { path } => Self::File(file::File::new(path)),
            Kind::Route(route) => Self::Route(route::Route::new(route, means)),
            Kind::Bfd { session } => Self::Bfd(bfd::Bfd::new(means.standings.get(*session))),
        }
    }

    async fn look(&mut self) -> Look {
        match self {
            Self::Interface(interface) => interface.look().await,
            Self::Script(script) => script.look().await,
            Self::Process(process) => process.look().await,
            Self::Tcp(tcp) => tcp.look().await,
            Self::Http(http) => http.look().await,
            Self::File(file) => file.look().await,
            Self::Route(route) => route.look().await,
            Self::Bfd(bfd) => bfd.look(),
        }
    }

    /// Waits until something tells of a change, if anything does.
    async fn told(&mut self) {
        match self {
            Self::Interface(interface) => interface.told().await,
            Self::Process(process) => process.told().await,
            Self::File(file) => file.told().await,
            Self::Route(route) => route.told().await,
            Self::Bfd(bfd) => bfd.told().await,
            Self::Script(_) | Self::Tcp(_) | Self::Http(_) => std::future::pending().await,
        }
    }
}

async fn run(
    check: u64,
    mut looker: Looker,
    interval: Duration,
    limit: Duration,
    sender: mpsc::UnboundedSender<Seen>,
) {
    loop {
        let look = timeout(limit, looker.look()).await.unwrap_or_else(|_| {
            let note = format!("took longer than {}", humantime::format_duration(limit));
            Look::fail(note)
        });
        if sender.send(Seen { check, look }).is_err() {
            return;
        }
        tokio::select! {
            () = looker.told() => {}
            () = sleep(interval) => {}
        }
    }
}
