//! What every scenario does: start the nodes, probe, inject, wait, count.

use std::{net::IpAddr, thread::sleep, time::Duration};

use anyhow::{Result, bail};

use super::{Account, Outcome, Promise, Scenario, account};
use crate::{
    agent::GROUP,
    cluster::{Cluster, PREFERRED, System},
    probe::Prober,
    report::{Report, Split, Window},
    silence::Silence,
    timeline::{Mark, Timeline},
};

/// Not counted: the client resolves the addresses, the switch learns.
const WARM_UP: Duration = Duration::from_millis(500);
/// How often it is looked whether something has come about.
const GLANCE: Duration = Duration::from_millis(5);
/// The same where a program has to be asked, which costs the machine something.
const QUESTION: Duration = Duration::from_millis(50);

/// A scenario while it is played.
pub(super) struct Stage<'a> {
    /// What is promised; nothing for other people's programs.
    promise: Option<Promise>,
    name: &'static str,
    prober: Prober,
    /// Only agents of ours can be asked what they took themselves for.
    silence: Option<Silence>,
    cluster: Cluster,
    from: Duration,
    role_changes: u64,
    fault: Option<Duration>,
    cut: Option<Duration>,
    split: Option<Split>,
    marks: Vec<Mark>,
    tell: &'a mut dyn FnMut(&str),
}

impl<'a> Stage<'a> {
    /// Starts nodes and probes.
    pub(super) fn set(
        scenario: &Scenario,
        system: &System,
        tell: &'a mut dyn FnMut(&str),
    ) -> Result<Self> {
        tell("starting two nodes");
        let cluster = Cluster::start(system, scenario.setting.service())?;
        tell("probing");
        let targets: Vec<IpAddr> = cluster.service().sampled();
        let prober = Prober::start(cluster.lab(), &targets)?;
        let ours = system.is_ours();
        let silence = ours.then(|| Silence::begin(cluster.lab(), prober.clock()));
        let role_changes = account::role_changes(&cluster)?;
        sleep(WARM_UP);
        let from = prober.clock().now();
        Ok(Self {
            promise: system.is_ours().then_some(scenario.promise),
            name: scenario.name,
            prober,
            silence: silence.transpose()?,
            cluster,
            from,
            role_changes,
            fault: None,
            cut: None,
            split: None,
            marks: Vec::new(),
            tell,
        })
    }

    /// Lets it go on for this long.
    pub(super) fn hold(&mut self, time: Duration) {
        sleep(time);
    }

    /// Right after the preferred node has advertised, lets this happen; from then on the take-over
    /// is timed.
    pub(super) fn fault(
        &mut self,
        label: &'static str,
        happen: impl FnOnce(&mut Cluster) -> Result<()>,
    ) -> Result<()> {
        self.cluster.await_advertisement(PREFERRED)?;
        self.fault = Some(self.prober.clock().now());
        self.mark(label, happen)
    }

    /// Lets this happen.
    pub(super) fn mark(
        &mut self,
        label: &'static str,
        happen: impl FnOnce(&mut Cluster) -> Result<()>,
    ) -> Result<()> {
        (self.tell)(label);
        let at = self.prober.clock().now();
        self.marks.push(Mark { at, label });
        happen(&mut self.cluster)
    }

    /// Does this, which is nothing that the nodes see.
    pub(super) fn prepare(&self, prepare: impl FnOnce(&Cluster) -> Result<()>) -> Result<()> {
        prepare(&self.cluster)
    }

    /// Looks at the nodes.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Cluster) -> Result<T>) -> Result<T> {
        look(&self.cluster)
    }

    /// Lets the nodes not hear each other any more; the client reaches both.
    pub(super) fn cut(&mut self) -> Result<()> {
        self.cut = Some(self.prober.clock().now());
        self.mark("nodes apart", |cluster| cluster.lab().set_isolated(true))
    }

    /// Takes back [`Stage::cut`]; one advertisement later there must be one owner.
    pub(super) fn heal(&mut self) -> Result<()> {
        self.mark("nodes together", |cluster| {
            cluster.lab().set_isolated(false)
        })?;
        let healed = self.prober.clock().now();
        self.split = self.cut.take().map(|cut| Split {
            cut,
            healed,
            grace: self.cluster.service().advert_interval,
            winner: PREFERRED,
        });
        Ok(())
    }

    /// Waits until the client is served by this node, but no longer than `limit`: that it never is
    /// shall show in the outcome.
    pub(super) fn until_served_by(&mut self, node: u8, limit: Duration) {
        let until = self.prober.clock().now() + limit;
        while self.prober.last_owner() != Some(node) && self.prober.clock().now() < until {
            sleep(GLANCE);
        }
    }

    /// Waits until the preferred node serves on this interface. Programs that know only one are not waited for.
    pub(super) fn until_served_on(&self, interface: &str, limit: Duration) -> Result<()> {
        let Some(agent) = self.cluster.agent(PREFERRED) else {
            return Ok(());
        };
        let until = self.prober.clock().now() + limit;
        while agent.place(GROUP)? != interface {
            if self.prober.clock().now() > until {
                bail!("node a does not serve on {interface} within {limit:?}");
            }
            sleep(QUESTION);
        }
        Ok(())
    }

    /// Whether it is this project's agent that plays.
    pub(super) const fn is_ours(&self) -> bool {
        self.promise.is_some()
    }

    pub(super) fn keep_evidence(&self) {
        self.cluster.lab().keep_evidence();
    }

    /// Ends the probing and counts.
    pub(super) fn finish(self) -> Result<Outcome> {
        (self.tell)("waiting for late answers");
        let lab = self.cluster.lab();
        let tracks = self.prober.finish().inspect_err(|_| {
            lab.keep_evidence();
        })?;
        let account = Account::take(&self.cluster, self.role_changes).inspect_err(|_| {
            lab.keep_evidence();
        })?;
        let slips = self.silence.map(Silence::end).transpose()?;
        let window = Window {
            from: self.from,
            fault: self.fault,
            owner: PREFERRED,
            split: self.split,
        };
        let report = Report::new(&tracks, window);
        let mut broken = self
            .promise
            .map_or_else(Vec::new, |promise| promise.broken(&report, &account));
        broken.extend(slips.iter().flatten().next().map(|slip| {
            let count = slips.iter().flatten().count();
            format!(
                "{count} frames came from nodes that had not the addresses; none may: {slip:02x?}"
            )
        }));
        let evidence = (!broken.is_empty()).then(|| lab.keep_evidence());
        Ok(Outcome {
            name: self.name,
            vips: self.cluster.service().vips.len(),
            timeline: Timeline::new(&tracks, window, self.marks, lab.nodes().len()),
            report,
            backup_frames: slips.map(|slips| slips.len()),
            account,
            broken,
            evidence,
        })
    }
}
