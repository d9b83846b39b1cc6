//! The story of a case.

use std::{
    net::{IpAddr, Ipv6Addr},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{
    Case, Maker, Protocol, Story,
    peer::Peer,
    verdict::{Phase, Verdict},
};
use crate::{
    address,
    agent::{Agent, Setup},
    cluster::{AnsweringMac, Service},
    echo::Echo,
    lab::Lab,
    node::INTERFACE,
    probe::Prober,
    tshark::{self, Checksum},
};

const VRID: u8 = 51;
/// What our agent adds to an IPv6 group that lists no link-local address: that of its virtual MAC.
const LINK_LOCAL: Ipv6Addr =
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0x200, 0x5eff, 0xfe00, 0x0200 | VRID as u16);
/// What a daemon may take to start, and more.
const LIMIT: Duration = Duration::from_secs(15);
/// How long it is looked on after each change.
const CALM: Duration = Duration::from_millis(700);

/// Both routers and what happens to them.
struct Play<'a> {
    case: &'a Case,
    agent: &'a Path,
    lab: Lab,
    service: Service,
    vips: Vec<IpAddr>,
    /// The nodes of ours and of theirs.
    ours: u8,
    theirs: u8,
    us: Option<Agent>,
    them: Option<Peer>,
    phases: Vec<Phase>,
}

/// What a phase may cost.
struct Cost {
    outage: Duration,
    both: Option<Duration>,
}

pub(super) fn play(case: &Case, agent: &Path) -> Result<Verdict> {
    let mut lab = Lab::create(&["a", "b"])?;
    lab.capture()?;
    let v6 = case.protocol == Protocol::V3Ipv6;
    let vip: IpAddr = if v6 {
        address::vip6(0).into()
    } else {
        address::vip4(0).into()
    };
    let vips = if v6 {
        vec![LINK_LOCAL.into(), vip]
    } else {
        vec![vip]
    };
    let interval = case.ours.interval();
    let service = Service {
        vips: vips.clone(),
        vrid: VRID,
        advert_interval: interval,
        mac: AnsweringMac::Virtual,
        liveness: None,
        has_application: false,
        has_second: false,
        lease: (interval * 19 / 10).min(Duration::from_millis(190)),
    };
    let ours = u8::from(matches!(case.story, Story::Meeting { ours_wins: true }));
    let _echoes: Vec<_> = lab
        .nodes()
        .iter()
        .map(|node| Echo::start(node, &[vip]))
        .collect::<Result<_>>()?;
    let prober = Prober::start(&lab, &[vip])?;
    let mut play = Play {
        case,
        agent,
        lab,
        service,
        vips,
        ours,
        theirs: 1 - ours,
        us: None,
        them: None,
        phases: Vec::new(),
    };
    let told = play.tell(&prober).inspect_err(|_| {
        play.lab.keep_evidence();
    });
    let tracks = prober.finish()?;
    told?;
    let mut verdict = Verdict::default();
    for phase in &play.phases {
        verdict.judge(phase, &tracks);
    }
    play.lab.end_capture()?;
    play.read_capture(&mut verdict)?;
    if !verdict.faults.is_empty() {
        play.lab.keep_evidence();
    }
    Ok(verdict)
}

impl Play<'_> {
    fn tell(&mut self, prober: &Prober) -> Result<()> {
        let (ours, theirs) = (self.ours, self.theirs);
        match self.case.story {
            Story::OursPreferred => {
                self.start_them()?;
                self.until(prober, theirs, "theirs alone")?;
                let cost = self.taken_over();
                self.phase(prober, "ours preempts", ours, &cost, Self::start_us)?;
                let cost = self.released(self.case.theirs.priority);
                self.phase(prober, "ours stops", theirs, &cost, Self::stop_us)?;
                let cost = self.taken_over();
                self.phase(prober, "ours comes back", ours, &cost, Self::start_us)?;
                let cost = self.died(self.case.theirs.priority);
                self.phase(prober, "ours dies", theirs, &cost, |play| {
                    play.lab.unplug(play.ours)
                })
            }
            Story::TheirsPreferred => {
                self.start_us()?;
                self.until(prober, ours, "ours alone")?;
                let cost = self.taken_over();
                self.phase(prober, "theirs preempts", theirs, &cost, Self::start_them)?;
                let cost = self.released(self.case.ours.priority);
                self.phase(prober, "theirs stops", ours, &cost, Self::stop_them)?;
                let cost = self.taken_over();
                self.phase(prober, "theirs comes back", theirs, &cost, Self::start_them)?;
                let cost = self.died(self.case.ours.priority);
                self.phase(prober, "theirs dies", ours, &cost, |play| {
                    play.lab.unplug(play.theirs)
                })
            }
            Story::Meeting { ours_wins } => {
                self.start_us()?;
                self.until(prober, ours, "ours alone")?;
                self.lab.set_isolated(true)?;
                self.start_them()?;
                sleep(self.slower() * 5 + CALM);
                let winner = if ours_wins { ours } else { theirs };
                // A client of the loser follows when the winner announces itself.
                let cost = Cost {
                    outage: self.slower() * 2,
                    both: Some(self.both()),
                };
                self.lab.set_isolated(false)?;
                self.phase(prober, "both meet", winner, &cost, |_| Ok(()))
            }
        }
    }

    /// Lets something happen, waits until `owner` serves, and looks on for a while.
    fn phase(
        &mut self,
        prober: &Prober,
        name: &'static str,
        owner: u8,
        cost: &Cost,
        happen: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let from = prober.clock().now();
        happen(self)?;
        self.until(prober, owner, name)?;
        sleep(CALM);
        self.phases.push(Phase {
            name,
            from,
            until: prober.clock().now(),
            owner,
            outage: cost.outage,
            both: cost.both,
        });
        Ok(())
    }

    /// Waits until this node has served for a while.
    fn until(&mut self, prober: &Prober, owner: u8, what: &str) -> Result<()> {
        let begun = Instant::now();
        let mut since = None;
        loop {
            if prober.last_owner() == Some(owner) {
                let since = *since.get_or_insert_with(Instant::now);
                if since.elapsed() > CALM / 2 {
                    return Ok(());
                }
            } else {
                since = None;
            }
            if begun.elapsed() > LIMIT {
                let node = self.lab.node(owner).name();
                bail!("{what}: node {node} does not serve after {LIMIT:?}");
            }
            sleep(Duration::from_millis(5));
        }
    }

    fn start_us(&mut self) -> Result<()> {
        let (node, other) = (self.lab.node(self.ours), self.lab.node(self.theirs));
        let mut election = format!(
            "version = {}\nchecksum = \"{}\"\nyield_grace = \"0ms\"\n",
            self.case.protocol.version(),
            self.case.checksum
        );
        if self.case.unicast {
            let peer = self.case.protocol.address(other);
            election.push_str(&format!("peers = [\"{peer}\"]\n"));
        }
        let setup = Setup {
            election,
            ..Setup::new(&self.service, self.case.ours.priority)
        };
        self.us = Some(Agent::start_as(self.agent, node, &setup)?);
        Ok(())
    }

    fn stop_us(&mut self) -> Result<()> {
        let mut us = self.us.take().context("ours runs")?;
        us.daemon().stop(LIMIT)
    }

    fn start_them(&mut self) -> Result<()> {
        let (node, other) = (self.lab.node(self.theirs), self.lab.node(self.ours));
        // keepalived 2.2 sends unicast over IPv6 with the host's hop limit, which must be VRRP's.
        let hop_limit = format!("ipv6/conf/{INTERFACE}/hop_limit");
        node.namespace().set(&hop_limit, "255")?;
        self.them = Some(Peer::start(self.case, node, other, &self.vips, VRID)?);
        Ok(())
    }

    fn stop_them(&mut self) -> Result<()> {
        let mut them = self.them.take().context("theirs runs")?;
        them.stop()
    }

    fn slower(&self) -> Duration {
        self.case.ours.interval().max(self.case.theirs.interval())
    }

    /// Until the loser has heard an advertisement both answer. FRR's macvlan answers in IPv6 about another one before the
    /// first that it sends (`docs/interop.md`).
    fn both(&self) -> Duration {
        match (self.case.maker, self.case.protocol) {
            (Maker::Frr, Protocol::V3Ipv6) => self.slower() * 2,
            (Maker::Frr, Protocol::V2 | Protocol::V3)
            | (Maker::Keepalived | Maker::KeepalivedVmac, _) => self.slower(),
        }
    }

    /// The owner steps back at the first advertisement that outranks it; a client that knows its MAC
    /// follows the announcement.
    fn taken_over(&self) -> Cost {
        Cost {
            outage: self.slower(),
            both: Some(self.both()),
        }
    }

    /// The Backup waits for its Skew_Time.
    fn released(&self, backup: u8) -> Cost {
        Cost {
            outage: self.skew(backup) + self.slower() / 2,
            both: Some(self.both()),
        }
    }

    /// The Backup waits for its Active_Down_Interval, which the Active node's interval makes.
    fn died(&self, backup: u8) -> Cost {
        Cost {
            outage: self.slower() * 3 + self.skew(backup) + self.slower() / 2,
            both: Some(self.both()),
        }
    }

    fn skew(&self, backup: u8) -> Duration {
        self.slower() * (256 - u32::from(backup)) / 256
    }

    /// Has every packet of ours read by somebody else.
    fn read_capture(&self, verdict: &mut Verdict) -> Result<()> {
        let node = self.lab.node(self.ours);
        let capture = self.lab.capture_of(node);
        let checksum = match (self.case.protocol, self.case.checksum) {
            (Protocol::V3, "message") => Checksum::NotOfVrrp,
            _ => Checksum::Strict,
        };
        let source = self.case.protocol.address(node).to_string();
        let (faults, read) = tshark::faults(&capture, &source, checksum)?;
        verdict.read = read;
        if read == 0 {
            verdict
                .faults
                .push("tshark found no VRRP packet of ours".to_owned());
        }
        for fault in faults {
            verdict.faults.push(format!("tshark: {fault}"));
        }
        Ok(())
    }
}

impl Maker {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keepalived => "keepalived",
            Self::KeepalivedVmac => "keepalived with a virtual MAC",
            Self::Frr => "FRR",
        }
    }
}
