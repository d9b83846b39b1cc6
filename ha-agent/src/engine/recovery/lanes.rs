//! A task that pings, over several interfaces in rounds.
//!
//! It does so only while there is something to choose: while two of the interfaces or more have a link.

use std::time::Duration;

use futures_util::future::select_all;
use ha_core::recovery::{Pings, Reach};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use crate::{config, net::Ping};

/// An interface, as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) index: u32,
}

/// Who is pinged, and over which interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) places: Vec<Place>,
    pub(super) ping: config::Ping,
}

/// What the targets say of a subject's interfaces now.
#[derive(Debug)]
pub(in crate::engine) struct News {
    /// By its number.
    pub(super) watch: u64,
    pub(super) reach: Vec<Reach>,
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

/// Pings for as long as somebody wants to know.
pub(super) async fn run(
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
