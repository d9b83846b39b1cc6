//! Both sides on their nodes.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    Case, Family, Passive, Story,
    timers::{ECHO, ECHO_RECEIVE, OURS, THEIRS},
};
use crate::{
    agent::{Agent, BfdStatus, Setup},
    cluster::Service,
    frr::{
        Frr,
        bfd::{Seen, Session},
    },
    lab::Lab,
    node::{INTERFACE, Node},
};

/// Our node and theirs.
const HERE: u8 = 0;
const THERE: u8 = 1;
/// The session's name in our configuration, and that of the check of it.
const SESSION: &str = "router";
/// Our group's priority, and what it loses when the session fails.
pub(super) const PRIORITY: u8 = 200;
pub(super) const WEIGHT: u8 = 60;

/// What a daemon may take to start, a session to come Up, and more.
const LIMIT: Duration = Duration::from_secs(15);
/// How long the kernel keeps packets before `tcpdump` gets them.
const HANDED_OVER: Duration = Duration::from_millis(1_200);
/// How long a side that waits for the other is left alone.
const ALONE: Duration = Duration::from_millis(1_500);

/// Both sides.
pub(super) struct Stage {
    /// What `bfdd` is told.
    pub(super) session: Session,
    pub(super) us: Agent,
    pub(super) them: Frr,
    /// Our address and theirs.
    pub(super) ours: IpAddr,
    pub(super) theirs: IpAddr,
    program: PathBuf,
    setup: String,
    // Last: the others are stopped before the lab goes.
    pub(super) lab: Lab,
}

impl Stage {
    /// Starts both; who waits for the other comes first.
    pub(super) fn set(case: &Case, program: &Path) -> Result<Self> {
        let mut lab = Lab::create(&["a", "b"])?;
        for node in lab.nodes() {
            // What is looped or captured must have its checksum already.
            node.make_checksums()?;
        }
        if case.story == Story::EchoOurs {
            let there = lab.node(THERE).namespace();
            there.set("ipv4/conf/all/forwarding", "1")?;
        }
        lab.capture()?;
        let ours = address(case.family, lab.node(HERE));
        let theirs = address(case.family, lab.node(THERE));
        let session = Session {
            local: theirs,
            peer: ours,
            transmit: THEIRS.transmit,
            receive: THEIRS.receive,
            multiplier: THEIRS.multiplier,
            is_passive: case.passive == Passive::Theirs,
            echo: case.echo.then_some(ECHO),
        };
        let setup = tables(case, theirs);
        let begin = || Frr::bfd(lab.node(THERE), std::slice::from_ref(&session));
        let (us, them) = if case.passive == Passive::Ours {
            let us = start(program, lab.node(HERE), &setup)?;
            sleep(ALONE);
            (us, begin()?)
        } else {
            let them = begin()?;
            sleep(ALONE);
            (start(program, lab.node(HERE), &setup)?, them)
        };
        Ok(Self {
            session,
            us,
            them,
            ours,
            theirs,
            program: program.to_owned(),
            setup,
            lab,
        })
    }

    /// The session as the agent has it.
    pub(super) fn here(&self) -> Result<BfdStatus> {
        self.us.bfd(SESSION)
    }

    /// The session as `bfdd` has it.
    pub(super) fn there(&self) -> Result<Seen> {
        self.them.session(self.ours)
    }

    /// Starts the agent again.
    pub(super) fn start_us(&mut self) -> Result<()> {
        self.us = start(&self.program, self.lab.node(HERE), &self.setup)?;
        Ok(())
    }

    /// Waits until both say Up.
    pub(super) fn until_up(&self) -> Result<()> {
        let both = || self.here().is_ok_and(|here| here.state == "up") && self.is_up_there();
        self.until("both say Up", both)?;
        Ok(())
    }

    /// Waits for something. Returns how long it took.
    pub(super) fn until(&self, what: &str, is_so: impl Fn() -> bool) -> Result<Duration> {
        let begun = Instant::now();
        while !is_so() {
            if begun.elapsed() > LIMIT {
                bail!(
                    "not within {LIMIT:?}: {what}; here {:?}, there {:?}",
                    self.here(),
                    self.there()
                );
            }
            sleep(Duration::from_millis(2));
        }
        Ok(begun.elapsed())
    }

    pub(super) fn is_up_there(&self) -> bool {
        self.there().is_ok_and(|there| there.status == "up")
    }

    /// The priority that is in force.
    pub(super) fn priority(&self) -> Result<u8> {
        self.us.priority()?.context("the group has a priority")
    }

    /// Ends the captures, when all that has happened is in them.
    pub(super) fn end_capture(&mut self) -> Result<()> {
        sleep(HANDED_OVER);
        self.lab.end_capture()
    }

    /// The capture at our port.
    pub(super) fn capture(&self) -> PathBuf {
        self.lab.capture_of(self.lab.node(HERE))
    }

    /// MAC of our interface.
    pub(super) fn mac(&self) -> String {
        self.lab.node(HERE).mac()
    }
}

fn start(program: &Path, node: &Node, tables: &str) -> Result<Agent> {
    let service = Service::new(1, 1);
    let setup = Setup {
        group: format!("track = [{{ check = \"{SESSION}\", weight = -{WEIGHT} }}]\n"),
        tables: tables.to_owned(),
        ..Setup::new(&service, PRIORITY)
    };
    Agent::start_as(program, node, &setup)
}

fn tables(case: &Case, router: IpAddr) -> String {
    let echo = match case.story {
        Story::EchoRefused => Duration::ZERO,
        Story::Agreement
        | Story::Poll
        | Story::HeldDown
        | Story::Stopped
        | Story::TheirsHangs
        | Story::OursHangs
        | Story::Echo
        | Story::EchoOurs => ECHO_RECEIVE,
    };
    let sent = if case.story == Story::EchoOurs {
        format!("echo_interval = \"{}ms\"\n", ECHO.as_millis())
    } else {
        String::new()
    };
    format!(
        r#"
[[bfd]]
name = "{SESSION}"
interface = "{INTERFACE}"
address = "{router}"
transmit_interval = "{}ms"
receive_interval = "{}ms"
multiplier = {}
passive = {}
echo_receive_interval = "{}ms"
{sent}
[[check]]
name = "{SESSION}"
type = "bfd"
session = "{SESSION}"
"#,
        OURS.transmit.as_millis(),
        OURS.receive.as_millis(),
        OURS.multiplier,
        case.passive == Passive::Ours,
        echo.as_millis(),
    )
}

fn address(family: Family, node: &Node) -> IpAddr {
    match family {
        Family::V4 => node.station().v4.into(),
        Family::V6 => node.link_local().into(),
    }
}
