//! The witness: asked when an election wants to presume another node dead, looked at all the time.

use std::time::SystemTime;

use anyhow::{Context, Result};
use ha_core::{
    election::Input,
    time::Time,
    witness::{self, News},
};

use super::{
    Engine,
    history::seconds,
    port::{Ground, Port},
};
use crate::{
    api::types,
    config::{Config, Witness as Written},
    net::Ping,
};

/// How it is asked.
#[derive(Debug)]
enum Way {
    Ping(Ping),
    /// An agent, which is among the peers at this place.
    Agent(usize),
}

/// The witness and what is known of it.
#[derive(Debug)]
pub(super) struct Witness {
    name: String,
    way: Way,
    questions: witness::Witness,
    since: Option<SystemTime>,
}

/// What happens to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A question was answered.
    Answer(u16),
    /// It is time to look.
    Look,
}

impl Witness {
    /// The agent has another place among the peers.
    pub(super) const fn is_now_at(&mut self, place: usize) {
        match &mut self.way {
            Way::Ping(_) => {}
            Way::Agent(peer) => *peer = place,
        }
    }
}

/// The witness of the configuration, if there is one.
pub(super) fn open(config: &Config, grounds: &[Ground], now: Time) -> Result<Option<Witness>> {
    let Some(written) = &config.witness else {
        return Ok(None);
    };
    let (name, way) = match written {
        Written::Ping { address, interface } => {
            let mut grounds = grounds.iter();
            let ground = grounds.find(|ground| ground.link.name == *interface);
            let home = ground.map(|ground| &ground.home);
            let (name, index) = home.map_or((&**interface, 0), |home| (&home.name, home.index));
            let ping = Ping::open(*address, name, index).with_context(|| {
                format!("cannot ping the witness {address} over {interface} (needs CAP_NET_RAW)")
            })?;
            (address.to_string(), Way::Ping(ping))
        }
        Written::Agent { peer } => (config.peers[*peer].name.clone(), Way::Agent(*peer)),
    };
    Ok(Some(Witness {
        name,
        way,
        questions: witness::Witness::new(now),
        since: None,
    }))
}

impl Engine {
    /// Opens the way to the witness, if the configuration has one.
    pub(super) fn call_witness(&mut self) -> Result<()> {
        let grounds: Vec<_> = self.ports.iter().map(Port::ground).collect();
        self.witness = open(&self.config, &grounds, self.now())?;
        Ok(())
    }

    /// An election wants its testimony.
    pub(super) fn ask_witness(&mut self) {
        if let Some(witness) = &mut self.witness {
            let sequence = witness.questions.ask();
            self.question_witness(sequence);
        }
    }

    pub(super) fn witness_event(&mut self, event: Event) {
        match event {
            Event::Answer(sequence) => self.witness_answered(sequence),
            Event::Look => self.look_at_witness(),
        }
    }

    /// It has answered; the elections that wait for it go on.
    pub(super) fn witness_answered(&mut self, sequence: u16) {
        let Some(witness) = &mut self.witness else {
            return;
        };
        let meaning = witness.questions.answered(sequence);
        self.witness_news(meaning.news);
        if meaning.is_testimony {
            for index in 0..self.groups.len() {
                self.input(index, Input::Witnessed);
            }
        }
    }

    fn look_at_witness(&mut self) {
        let now = self.now();
        let Some(witness) = &mut self.witness else {
            return;
        };
        let (sequence, news) = witness.questions.look(now);
        self.witness_news(news);
        self.question_witness(sequence);
    }

    /// What does not leave is asked again.
    fn question_witness(&self, sequence: u16) {
        match self.witness.as_ref().map(|witness| &witness.way) {
            None => {}
            Some(Way::Ping(ping)) => {
                if let Err(error) = ping.send(sequence) {
                    tracing::debug!("cannot ask the witness: {error}");
                }
            }
            Some(Way::Agent(peer)) => {
                if let Some(peers) = &self.liveness {
                    peers.ask_node(*peer, sequence);
                }
            }
        }
    }

    fn witness_news(&mut self, news: Option<News>) {
        let (Some(witness), Some(news)) = (&mut self.witness, news) else {
            return;
        };
        witness.since = Some(SystemTime::now());
        let name = &witness.name;
        let text = match news {
            News::Answers => {
                let text = format!("the witness {name} answers");
                tracing::info!("{text}");
                text
            }
            News::Missing => {
                let text = format!(
                    "the witness {name} does not answer: while that is so, this node takes over from nobody \\
                     that it merely does not hear"
                );
                tracing::warn!("{text}");
                text
            }
        };
        self.history.node("witness", text);
    }

    /// What there is to see of it.
    pub(super) fn witness_status(&self) -> Option<types::Witness> {
        let witness = self.witness.as_ref()?;
        let state = match witness.questions.answers() {
            None => "unknown",
            Some(true) => "answers",
            Some(false) => "missing",
        };
        Some(types::Witness {
            name: witness.name.clone(),
            state: state.to_owned(),
            since: witness.since.map(seconds),
        })
    }
}

/// Waits for what happens to the witness next; for ever where there is none.
pub(super) async fn next(witness: Option<&Witness>, started: std::time::Instant) -> Event {
    let Some(witness) = witness else {
        return std::future::pending().await;
    };
    let look = look_time(started, witness.questions.next_look());
    let reply = async {
        match &witness.way {
            Way::Ping(ping) => ping.reply().await,
            // Its answers come with those of the peers.
            Way::Agent(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        Ok(sequence) = reply => Event::Answer(sequence),
        () = tokio::time::sleep_until(look.into()) => Event::Look,
    }
}

fn look_time(started: std::time::Instant, at: Time) -> std::time::Instant {
    started + at.since_origin()
}
