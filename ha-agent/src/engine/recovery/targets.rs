//! Pings over the interfaces of groups that can be served on several of them.
//!
//! Groups with the same interfaces and targets share a task. It pings only while there is something to choose: while
//! two of the interfaces or more have a link.

use std::time::Duration;

use futures_util::future::select_all;
use ha_core::recovery::{Pings, Reach};
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::{Instant, sleep_until},
};

use super::super::{Engine, history::History, port::Port};
use crate::{config, net::Ping};

/// An interface, as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    name: String,
    index: u32,
}

/// Who is pinged, and over which interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    places: Vec<Place>,
    ping: config::Ping,
}

/// What the targets say of a subject's interfaces now.
#[derive(Debug)]
pub(in crate::engine) struct News {
    /// By its number.
    watch: u64,
    reach: Vec<Reach>,
}

/// A task that pings.
#[derive(Debug)]
struct Watch {
    subject: Subject,
    number: u64,
    reach: Vec<Reach>,
    /// Which of the interfaces have a link.
    links: watch::Sender<Vec<bool>>,
    task: AbortHandle,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All that is pinged.
#[derive(Debug)]
pub(in crate::engine) struct Targets {
    watches: Vec<Watch>,
    /// The watch of each group that has one, by the group's place.
    of_groups: Vec<Option<usize>>,
    news: mpsc::UnboundedReceiver<News>,
    teller: mpsc::UnboundedSender<News>,
    /// How many tasks have been begun.
    begun: u64,
}

impl Targets {
    /// Nothing is pinged yet.
    pub(in crate::engine) fn new() -> Self {
        let (teller, news) = mpsc::unbounded_channel();
        Self {
            watches: Vec::new(),
            of_groups: Vec::new(),
            news,
            teller,
            begun: 0,
        }
    }

    /// Waits for what the targets say next.
    pub(in crate::engine) async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            // Never: the other end is kept beside this one.
            None => std::future::pending().await,
        }
    }

    /// What the targets of a group say of its ways; `None` if it has none.
    pub(super) fn reach(&self, group: usize) -> Option<&[Reach]> {
        let watch = self.of_groups.get(group).copied().flatten()?;
        Some(&self.watches[watch].reach)
    }

    /// Which of a group's ways have a link.
    pub(super) fn set_links(&self, group: usize, links: Vec<bool>) {
        if let Some(watch) = self.of_groups.get(group).copied().flatten() {
            self.watches[watch].links.send_if_modified(|known| {
                let is_news = *known != links;
                *known = links;
                is_news
            });
        }
    }

    /// Pings these, by the groups' places. What goes on keeps what it knows.
    fn set(&mut self, subjects: Vec<Option<Subject>>) {
        let mut old = std::mem::take(&mut self.watches);
        self.of_groups.clear();
        for subject in subjects {
            let place = subject.map(|subject| {
                let mut watches = self.watches.iter();
                let known = watches.position(|watch| watch.subject == subject);
                known.unwrap_or_else(|| {
                    let kept = old.iter().position(|watch| watch.subject == subject);
                    let watch = match kept {
                        Some(kept) => old.swap_remove(kept),
                        None => self.begin(subject),
                    };
                    self.watches.push(watch);
                    self.watches.len() - 1
                })
            });
            self.of_groups.push(place);
        }
    }

    fn begin(&mut self, subject: Subject) -> Watch {
        self.begun += 1;
        let number = self.begun;
        let count = subject.places.len();
        let (links, receiver) = watch::channel(vec![false; count]);
        let task = tokio::spawn(run(number, subject.clone(), receiver, self.teller.clone()));
        Watch {
            subject,
            number,
            reach: vec![Reach::Unknown; count],
            links,
            task: task.abort_handle(),
        }
    }

    /// Takes note of news; the groups that they concern.
    fn note(&mut self, news: News, history: &mut History) -> Vec<usize> {
        let mut watches = self.watches.iter();
        // It may have been given up meanwhile.
        let Some(place) = watches.position(|watch| watch.number == news.watch) else {
            return Vec::new();
        };
        let watch = &mut self.watches[place];
        let before = std::mem::replace(&mut watch.reach, news.reach);
        let changes = before.iter().zip(&watch.reach);
        for ((before, after), over) in changes.zip(&watch.subject.places) {
            tell(*before, *after, &over.name, &watch.subject.ping, history);
        }
        let groups = self.of_groups.iter().enumerate();
        let concerned = groups.filter(|(_, watch)| **watch == Some(place));
        concerned.map(|(group, _)| group).collect()
    }
}

fn tell(before: Reach, after: Reach, name: &str, ping: &config::Ping, history: &mut History) {
    let targets: Vec<_> = ping.targets.iter().map(ToString::to_string).collect();
    let targets = targets.join(", ");
    let text = match (before, after) {
        // The link is told of by itself.
        (_, Reach::Unknown | Reach::Late) => return,
        (Reach::Answers | Reach::Late, Reach::Answers) | (Reach::Silent, Reach::Silent) => return,
        (Reach::Unknown | Reach::Silent, Reach::Answers) => {
            format!("{name} reaches a ping target (of {targets})")
        }
        (Reach::Unknown | Reach::Answers | Reach::Late, Reach::Silent) => {
            format!("{name} reaches none of its ping targets ({targets})")
        }
    };
    tracing::info!("{text}");
    history.node("ping", text);
}

impl Engine {
    /// Pings what the configuration names, from now on.
    pub(in crate::engine) fn set_targets(&mut self) {
        let place = |port: &Port| Place {
            name: port.home.name.clone(),
            index: port.home.index,
        };
        let groups = self.config.groups.iter().zip(&self.groups);
        let subjects = groups.map(|(written, group)| {
            let ways = group.ways.iter();
            Some(Subject {
                ping: written.local.as_ref()?.ping.clone()?,
                places: ways.map(|way| place(&self.ports[*way])).collect(),
            })
        });
        let subjects = subjects.collect();
        self.targets.set(subjects);
        for index in 0..self.groups.len() {
            self.tell_links(index);
        }
    }

    /// The targets say something else of an interface.
    pub(in crate::engine) fn pinged(&mut self, news: News) {
        for index in self.targets.note(news, &mut self.history) {
            self.weigh(index);
        }
    }
}

/// The pings over one interface.
#[derive(Debug)]
struct Lane {
    place: Place,
    has_link: bool,
    pings: Pings,
    /// By target; `None` where there is no way to it.
    sockets: Vec<Option<Ping>>,
    /// Rounds of silence since the sockets were opened.
    silent: u16,
}

impl Lane {
    fn new(place: Place, ping: &config::Ping) -> Self {
        Self {
            place,
            has_link: false,
            pings: Pings::new(ping.fall),
            sockets: Vec::new(),
            silent: 0,
        }
    }

    fn set_link(&mut self, has_link: bool) {
        if self.has_link != has_link {
            self.has_link = has_link;
            self.pings.forget();
            // With the link routes and addresses may have gone that the sockets have bound.
            self.sockets.clear();
        }
    }

    /// One ping to each target. What does not leave is not answered.
    fn round(&mut self, ping: &config::Ping) {
        for socket in self.sockets.iter().flatten() {
            // On a busy host answers wait, and are older than the silence that the clock tells of.
            while let Some(round) = socket.waiting() {
                self.pings.answered(round);
            }
        }
        let round = self.pings.begin();
        match self.pings.reach() {
            Reach::Unknown | Reach::Answers | Reach::Late => self.silent = 0,
            Reach::Silent if self.silent < ping.fall => self.silent += 1,
            // The interface may have another address by now.
            Reach::Silent => {
                self.silent = 0;
                self.sockets.clear();
            }
        }
        self.sockets.resize_with(ping.targets.len(), || None);
        for (socket, target) in self.sockets.iter_mut().zip(&ping.targets) {
            if socket.is_none() {
                let opened = Ping::open(*target, &self.place.name, self.place.index);
                *socket = opened
                    .inspect_err(|error| {
                        tracing::debug!("cannot ping {target} over {}: {error}", self.place.name);
                    })
                    .ok();
            }
            if let Some(Err(error)) = socket.as_ref().map(|socket| socket.send(round)) {
                tracing::debug!("cannot ping {target} over {}: {error}", self.place.name);
            }
        }
    }
}

async fn run(
    watch: u64,
    subject: Subject,
    mut links: watch::Receiver<Vec<bool>>,
    sender: mpsc::UnboundedSender<News>,
) {
    let Subject { places, ping } = subject;
    let mut lanes: Vec<_> = places
        .into_iter()
        .map(|place| Lane::new(place, &ping))
        .collect();
    let mut told = vec![Reach::Unknown; lanes.len()];
    let mut next = Instant::now();
    links.mark_changed();
    loop {
        let is_useful = lanes.iter().filter(|lane| lane.has_link).count() > 1;
        tokio::select! {
            biased;
            changed = links.changed() => {
                if changed.is_err() {
                    return;
                }
                let links = links.borrow_and_update();
                for (lane, has_link) in lanes.iter_mut().zip(links.iter()) {
                    lane.set_link(*has_link);
                }
            }
            (lane, round) = reply(&lanes) => lanes[lane].pings.answered(round),
            () = sleep_until(next), if is_useful => {
                for lane in lanes.iter_mut().filter(|lane| lane.has_link) {
                    lane.round(&ping);
                }
                next = after(next, ping.interval);
            }
        }
        let reach: Vec<_> = lanes.iter().map(|lane| lane.pings.reach()).collect();
        if reach != told {
            told.clone_from(&reach);
            if sender.send(News { watch, reach }).is_err() {
                return;
            }
        }
    }
}

/// When the next round begins. After a pause none is made up for: each silence has its full time.
fn after(round: Instant, interval: Duration) -> Instant {
    let next = round + interval;
    let now = Instant::now();
    if next > now { next } else { now + interval }
}

/// Waits for an answer to any ping: the lane and the round.
async fn reply(lanes: &[Lane]) -> (usize, u16) {
    let sockets = lanes.iter().enumerate().flat_map(|(lane, of)| {
        let sockets = of.sockets.iter().flatten();
        sockets.map(move |socket| Box::pin(async move { (lane, socket.reply().await) }))
    });
    let sockets: Vec<_> = sockets.collect();
    if sockets.is_empty() {
        return std::future::pending().await;
    }
    match select_all(sockets).await.0 {
        (lane, Ok(round)) => (lane, round),
        // The runtime is shutting down.
        (_, Err(_)) => std::future::pending().await,
    }
}
