//! Two virtual machines as nodes, and what a client loses while something happens to them.

use std::{
    net::IpAddr,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use super::{Member, Network, Standing};
use crate::{
    address,
    cluster::{NODES, PRIORITIES},
    lab::Lab,
    probe::Prober,
    report::{Report, Window},
};

/// Time between two probes of a kind: what machines without the processor's help answer in time.
const SPACING: Duration = Duration::from_millis(20);
/// Before what happens, and after it.
const QUIET: Duration = Duration::from_secs(2);
/// Until the nodes have come to something: the verifier alone takes ten seconds.
const LIMIT: Duration = Duration::from_secs(120);

/// The machines, on a switch with a client.
#[derive(Debug)]
pub struct Pair {
    members: Vec<Member>,
    network: Network,
    // Last: cables are in its namespaces.
    lab: Lab,
}

/// What something cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// What the client met.
    pub report: Report,
    /// Probes that more than one node answered.
    pub by_both: usize,
    /// How often the nodes began or ceased to have the virtual IPs.
    pub role_changes: u64,
}

impl Pair {
    /// Boots both, and waits until the first has the virtual IPs and the second is ready to take them.
    ///
    /// # Errors
    ///
    /// When something cannot be made, or the nodes do not come to that.
    pub fn boot(agent: &Path, network: Network) -> Result<Self> {
        let mut lab = Lab::create(&NODES)?;
        lab.capture()?;
        let mut pair = Self {
            members: Vec::new(),
            network,
            lab,
        };
        let begun = pair.begin(agent);
        if begun.is_err() {
            pair.keep_evidence();
        }
        begun.map(|()| pair)
    }

    fn begin(&mut self, agent: &Path) -> Result<()> {
        for (node, priority) in self.lab.nodes().iter().zip(PRIORITIES) {
            let member = Member::start(node, agent, self.network, priority, &vips())?;
            self.members.push(member);
        }
        for (node, member) in self.lab.nodes().iter().zip(&mut self.members) {
            member.set_up(node.name(), &vips())?;
        }
        self.await_served_by(0)
    }

    /// Has the agents' logs in those of the consoles, and keeps these.
    fn keep_evidence(&mut self) {
        for member in self.members.iter_mut().filter(|member| member.is_on()) {
            // A machine that does not answer any more has said what it had to.
            let _ = member.log();
        }
        self.lab.keep_evidence();
    }

    /// The network that the virtual IPs are on.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.network
    }

    /// A machine.
    pub fn member(&mut self, node: u8) -> &mut Member {
        &mut self.members[usize::from(node)]
    }

    /// Pulls the cable of a machine's NIC, or puts it back.
    ///
    /// # Errors
    ///
    /// As [`Member::set_cable`].
    pub fn set_cable(&self, node: u8, nic: usize, plugged: bool) -> Result<()> {
        self.members[usize::from(node)].set_cable(self.lab.node(node), nic, plugged)
    }

    /// Probes while this happens, and for a while before and after.
    ///
    /// # Errors
    ///
    /// When it fails, or a machine that is still there does not answer.
    pub fn cost(
        &mut self,
        owner: u8,
        happen: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Cost> {
        let before = self.role_changes()?;
        let prober = Prober::start_every(SPACING, &self.lab, &vips())?;
        let clock = prober.clock();
        sleep(QUIET);
        let from = clock.now();
        sleep(QUIET);
        let fault = Some(clock.now());
        let happened = happen(self);
        sleep(QUIET);
        let tracks = prober.finish()?;
        happened?;
        let window = Window {
            from,
            fault,
            owner,
            split: None,
        };
        let probes = tracks.iter().flat_map(|track| &track.probes);
        Ok(Cost {
            by_both: probes.filter(|probe| probe.owners.len() > 1).count(),
            report: Report::new(&tracks, window),
            role_changes: self.role_changes()?.saturating_sub(before),
        })
    }

    /// Waits until this node has the virtual IPs, and the other, if its machine runs, is ready to take them.
    ///
    /// # Errors
    ///
    /// When they do not come to that.
    pub fn await_served_by(&mut self, node: u8) -> Result<()> {
        self.until("one is Active and the other Backup", |index, standing| {
            if index == usize::from(node) {
                standing.is_active()
            } else {
                standing.is_backup()
            }
        })
    }

    /// Waits until each node whose machine runs says so.
    ///
    /// # Errors
    ///
    /// When they do not come to that.
    pub fn until(&mut self, what: &str, is_so: impl Fn(usize, &Standing) -> bool) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mut standings = Vec::new();
            for (index, member) in self.members.iter_mut().enumerate() {
                if member.is_on() {
                    standings.push((index, member.standing()));
                }
            }
            ensure!(!standings.is_empty(), "no machine runs");
            let all = standings.iter().all(|(index, standing)| {
                standing
                    .as_ref()
                    .is_ok_and(|standing| is_so(*index, standing))
            });
            if all {
                return Ok(());
            }
            if begun.elapsed() > LIMIT {
                bail!("it never came to it that {what}: {standings:?}");
            }
            sleep(Duration::from_millis(100));
        }
    }

    fn role_changes(&mut self) -> Result<u64> {
        let running = self.members.iter_mut().filter(|member| member.is_on());
        let of_each = running.map(|member| Ok(member.standing()?.role_changes()));
        of_each.sum()
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_evidence();
        }
    }
}

fn vips() -> [IpAddr; 2] {
    [address::vip4(0).into(), address::vip6(0).into()]
}
