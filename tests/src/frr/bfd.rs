//! `bfdd`: sessions of BFD, what it says of them, and changes while it runs.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, Result};
use serde::{Deserialize, de::DeserializeOwned};

use super::Frr;
use crate::node::{INTERFACE, Node};

/// A single-hop session as `bfdd` is told.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its own address; over IPv6 it has to know.
    pub local: IpAddr,
    /// The other's address.
    pub peer: IpAddr,
    /// The time between packets that it would like to send.
    pub transmit: Duration,
    /// The time between packets that it can take.
    pub receive: Duration,
    /// Packets in a row that are missed before it is down.
    pub multiplier: u8,
    /// Whether the other has to begin.
    pub is_passive: bool,
    /// The time between echo packets that it would like to send, if it sends some.
    pub echo: Option<Duration>,
}

/// What `bfdd` says of a session; times are in milliseconds.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Seen {
    peer: IpAddr,
    /// `up`, `init`, `down` or `shutdown`.
    pub status: String,
    /// Why it was down last.
    pub diagnostic: String,
    /// The other's reason.
    pub remote_diagnostic: String,
    /// What it would like to send at.
    pub transmit_interval: u64,
    /// What it can take.
    pub receive_interval: u64,
    /// Packets that it may miss.
    pub detect_multiplier: u64,
    /// What the other would like to send at.
    pub remote_transmit_interval: u64,
    /// What the other can take.
    pub remote_receive_interval: u64,
    /// Packets that the other may miss.
    pub remote_detect_multiplier: u64,
    /// Which echo packets the other can take; 0 for none.
    pub remote_echo_receive_interval: u64,
}

/// What `bfdd` has counted of a session.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub struct Counters {
    peer: IpAddr,
    /// Echo packets that came back.
    pub echo_packet_input: u64,
    /// Echo packets sent.
    pub echo_packet_output: u64,
    /// How often it came up.
    pub session_up: u64,
    /// How often it went down.
    pub session_down: u64,
}

impl Session {
    /// The line that names it.
    fn name(&self) -> String {
        name(self.peer, self.local)
    }

    fn config(&self) -> String {
        let mut lines = format!(
            " {}\n  transmit-interval {}\n  receive-interval {}\n  detect-multiplier {}\n",
            self.name(),
            self.transmit.as_millis(),
            self.receive.as_millis(),
            self.multiplier,
        );
        if self.is_passive {
            lines.push_str("  passive-mode\n");
        }
        if let Some(interval) = self.echo {
            let interval = interval.as_millis();
            lines.push_str(&format!(
                "  echo-mode\n  echo transmit-interval {interval}\n"
            ));
        }
        lines + " !\n"
    }
}

impl Frr {
    /// Starts `bfdd`.
    ///
    /// # Errors
    ///
    /// When a daemon does not start.
    pub fn bfd(node: &Node, sessions: &[Session]) -> Result<Self> {
        let sessions: String = sessions.iter().map(Session::config).collect();
        Self::start(node, "bfdd", &format!("bfd\n{sessions}!\n"))
    }

    /// What `bfdd` says of the session with `peer`.
    ///
    /// # Errors
    ///
    /// When it does not answer, or knows of none.
    pub fn session(&self, peer: IpAddr) -> Result<Seen> {
        let all: Vec<Seen> = self.show("show bfd peers json")?;
        let found = all.into_iter().find(|seen| seen.peer == peer);
        found.with_context(|| format!("bfdd has no session with {peer}"))
    }

    /// What `bfdd` has counted of the session with `peer`.
    ///
    /// # Errors
    ///
    /// As for [`Self::session`].
    pub fn counters(&self, peer: IpAddr) -> Result<Counters> {
        let all: Vec<Counters> = self.show("show bfd peers counters json")?;
        let found = all.into_iter().find(|counters| counters.peer == peer);
        found.with_context(|| format!("bfdd has no session with {peer}"))
    }

    /// Changes a session that runs: `lines` as in its configuration.
    ///
    /// # Errors
    ///
    /// When `bfdd` does not understand them.
    pub fn change(&self, session: &Session, lines: &[&str]) -> Result<()> {
        let name = session.name();
        let mut typed = vec!["configure terminal", "bfd", &name];
        typed.extend(lines);
        self.vtysh(&typed)?;
        Ok(())
    }

    fn show<T: DeserializeOwned>(&self, command: &str) -> Result<T> {
        let printed = self.vtysh(&[command])?;
        serde_json::from_str(&printed).with_context(|| format!("reading `{command}`: {printed}"))
    }
}

fn name(peer: IpAddr, local: IpAddr) -> String {
    match peer {
        IpAddr::V4(_) => format!("peer {peer} interface {INTERFACE}"),
        IpAddr::V6(_) => format!("peer {peer} local-address {local} interface {INTERFACE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bfdd_prints_is_understood() {
        let printed = r#"{"multihop":false,"peer":"10.77.0.2","vrf":"default","interface":"eth0",
            "id":3820800209,"remote-id":2187472879,"passive-mode":false,"status":"up","uptime":2,
            "diagnostic":"ok","remote-diagnostic":"control detection time expired",
            "receive-interval":100,"transmit-interval":120,"echo-receive-interval":60,
            "echo-transmit-interval":50,"detect-multiplier":3,"remote-receive-interval":80,
            "remote-transmit-interval":70,"remote-echo-receive-interval":60,
            "remote-detect-multiplier":4,"rtt-min":0,"rtt-avg":0,"rtt-max":0}"#;
        let seen: Seen = serde_json::from_str(printed).expect("a session");
        assert_eq!((seen.transmit_interval, seen.receive_interval), (120, 100));
        assert_eq!(seen.remote_detect_multiplier, 4);
        assert_eq!(seen.remote_diagnostic, "control detection time expired");
    }

    #[test]
    fn a_session_over_ipv6_names_its_address() {
        let session = Session {
            local: "fe80::1".parse().expect("an address"),
            peer: "fe80::2".parse().expect("an address"),
            transmit: Duration::from_millis(100),
            receive: Duration::from_millis(80),
            multiplier: 4,
            is_passive: true,
            echo: Some(Duration::from_millis(50)),
        };
        assert_eq!(
            session.config(),
            " peer fe80::2 local-address fe80::1 interface eth0\n  transmit-interval 100\n  \
             receive-interval 80\n  detect-multiplier 4\n  passive-mode\n  echo-mode\n  \
             echo transmit-interval 50\n !\n"
        );
    }
}
