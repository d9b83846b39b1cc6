//! A MAC of this node's own that nobody else has, and a host that is asked to answer to it.

use std::{io, net::Ipv4Addr, time::Duration};

use ha_common::abi::Mac;
use tokio::time::Instant;

use crate::net::Asker;

/// How long an answer is waited for before it is asked for again; one that comes later counts still. A host that took
/// longer for the first one is given three times that, but not more than so much.
const PATIENCE: Duration = Duration::from_millis(40);
const LONGEST: Duration = Duration::from_millis(200);
/// How often it is asked for, to the own MAC and to the other one, and again when that was in vain.
const ATTEMPTS: u32 = 3;
const TRIALS: u32 = 4;
const LAST_ATTEMPTS: u32 = 2;
/// Locally administered (IEEE 802-2014 section 8.2), and "HA": what is in a filter and begins so was left there.
const PREFIX: [u8; 3] = [0x0a, b'H', b'A'];

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// The answer to the other MAC has arrived.
    Arrived,
    /// Nobody answers, even to the own one.
    Nobody,
    /// This host answers to the own one, but not to the other.
    NotTo(Ipv4Addr),
    /// This host answers to both, but not to what comes from the other.
    NotFrom(Ipv4Addr),
}

/// The MAC with which an interface is tried whose own MAC this is. All six octets count, so that two interfaces on one
/// network have the same one next to never.
#[must_use]
pub const fn trial_mac(own: Mac) -> Mac {
    let [a, b, c] = PREFIX;
    let [d, e, f, g, h, i] = own.0;
    Mac([a, b, c, d ^ g, e ^ h, f ^ i])
}

/// Whether a MAC is one of these.
#[must_use]
pub fn is_trial(mac: Mac) -> bool {
    mac.0.starts_with(&PREFIX)
}

/// Asks over the interface `index` for an answer to its own MAC, then to `trial`, which its filter lets through.
pub(super) async fn attempt(
    index: u32,
    own: Mac,
    trial: Mac,
    hosts: &[Ipv4Addr],
) -> io::Result<Tried> {
    let asker = Asker::open(index, own)?;
    let ask = async |source, mac, hosts: &[Ipv4Addr], attempts, patience| {
        for _ in 0..attempts {
            for host in hosts {
                asker.ask(source, mac, *host)?;
            }
            // An answer to the other MAC may be late, and counts whenever it comes.
            let end = Instant::now() + patience;
            let answer = asker.answer(&[mac, trial], hosts, end).await?;
            if answer.is_some() {
                return io::Result::Ok(answer);
            }
        }
        Ok(None)
    };
    let begun = Instant::now();
    let Some((host, _)) = ask(own, own, hosts, ATTEMPTS, PATIENCE).await? else {
        return Ok(Tried::Nobody);
    };
    let patience = (begun.elapsed() * 3).clamp(PATIENCE, LONGEST);
    let host = &[host];
    if ask(trial, trial, host, TRIALS, patience).await?.is_some() {
        return Ok(Tried::Arrived);
    }
    // It may have gone just now; else it can be told which of the two ways is closed.
    match ask(own, own, host, LAST_ATTEMPTS, patience).await? {
        None => return Ok(Tried::Nobody),
        Some((_, mac)) if mac == trial => return Ok(Tried::Arrived),
        Some(_) => {}
    }
    let turned = ask(own, trial, host, LAST_ATTEMPTS, patience).await?;
    Ok(turned.map_or(Tried::NotTo(host[0]), |(host, _)| Tried::NotFrom(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_again_and_is_nobody_else_s() {
        let own = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
        let trial = trial_mac(own);
        assert_eq!(trial, Mac([0x0a, 0x48, 0x41, 0x40, 0x60, 0x56]));
        assert!(is_trial(trial) && !is_trial(own));
        assert!(!trial.is_multicast());
        assert_ne!(trial, trial_mac(Mac([0x52, 0x54, 0, 0x12, 0x34, 0x57])));
        assert_ne!(trial, trial_mac(Mac([0x52, 0x54, 1, 0x12, 0x34, 0x56])));
    }
}
