//! A network that delays, reorders and loses.

use std::{net::IpAddr, time::Duration};

use fastrand::Rng;
use ha_core::{time::Time, vrrp::Advertisement};

/// An advertisement on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) arrives: Time,
    pub(crate) receiver: usize,
    pub(crate) from: IpAddr,
    pub(crate) direct: bool,
    pub(crate) advert: Advertisement,
}

#[derive(Debug)]
pub(crate) struct Network {
    /// No message takes longer.
    pub(crate) longest_delay: Duration,
    /// Probability that a message is lost.
    pub(crate) loss: f64,
    /// Sender and receiver between which nothing passes.
    pub(crate) cut: Vec<(usize, usize)>,
    /// Whether messages can overtake each other, which those on one Ethernet do not.
    pub(crate) reorders: bool,
    on_their_way: Vec<Message>,
}

impl Network {
    pub(crate) fn new(longest_delay: Duration) -> Self {
        Self {
            longest_delay,
            loss: 0.0,
            cut: Vec::new(),
            reorders: true,
            on_their_way: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, rng: &mut Rng, now: Time, sender: usize, message: Message) {
        let is_cut = self.cut.contains(&(sender, message.receiver));
        if is_cut || rng.f64() < self.loss {
            return;
        }
        let mut arrives = now + self.longest_delay.mul_f64(rng.f64());
        if !self.reorders {
            let last = self.on_their_way.iter().map(|m| m.arrives).max();
            arrives = last.map_or(arrives, |last| last.max(arrives));
        }
        self.on_their_way.push(Message { arrives, ..message });
    }

    pub(crate) fn next_arrival(&self) -> Option<Time> {
        self.on_their_way.iter().map(|m| m.arrives).min()
    }

    /// A message that has arrived.
    pub(crate) fn receive(&mut self, now: Time) -> Option<Message> {
        let first = (0..self.on_their_way.len()).min_by_key(|&i| self.on_their_way[i].arrives)?;
        (self.on_their_way[first].arrives <= now).then(|| self.on_their_way.remove(first))
    }
}
