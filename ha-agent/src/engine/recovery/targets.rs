//! Pings over the interfaces of groups that can be served on several of them.
//!
//! Groups with the same interfaces and targets share a task.

use ha_core::recovery::Reach;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
};

use super::{
    super::{Engine, history::History, port::Port},
    lanes::{News, Place, Subject, run},
};
use crate::config;

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
    let is_news = match after {
        // The link is told of by itself.
        Reach::Unknown | Reach::Late => false,
        Reach::Answers => matches!(before, Reach::Unknown | Reach::Silent),
        Reach::Silent => before != Reach::Silent,
    };
    if !is_news {
        return;
    }
    let targets: Vec<_> = ping.targets.iter().map(ToString::to_string).collect();
    let targets = targets.join(", ");
    let text = if after == Reach::Silent {
        format!("{name} reaches none of its ping targets ({targets})")
    } else {
        format!("{name} reaches a ping target (of {targets})")
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
