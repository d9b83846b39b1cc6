//! Two nodes that share virtual IPs.

mod service;

use std::{
    collections::BTreeSet,
    net::IpAddr,
    os::fd::OwnedFd,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

pub use self::service::{AnsweringMac, Service, System};
use crate::{
    advert,
    agent::{self, Agent, Setup},
    application::{self, Application},
    daemon::Daemon,
    echo::Echo,
    keepalived::Keepalived,
    lab::Lab,
    node::Node,
    second,
    under_test::Variant,
};

/// The node that has the virtual IPs while all is well.
pub const PREFERRED: u8 = 0;
/// The other.
pub const STANDBY: u8 = 1;

/// The nodes' names.
pub(crate) const NODES: [&str; 2] = ["a", "b"];
/// How long a program may take to end when it is asked to.
const END: Duration = Duration::from_secs(5);
/// When a group goes back to an interface that is well again.
const RETURN: &str = "return_delay = \"500ms\"";
/// VRRP priorities of the nodes.
pub(crate) const PRIORITIES: [u8; 2] = [200, 150];

#[derive(Debug)]
enum Member {
    HaAgent(Agent),
    Keepalived(Keepalived),
}

/// Two nodes in a lab, one Active and one Backup.
#[derive(Debug)]
pub struct Cluster {
    members: Vec<Member>,
    applications: Vec<Application>,
    _echoes: Vec<Echo>,
    service: Service,
    _second: Option<OwnedFd>,
    // Last: the others are stopped before the lab goes.
    lab: Lab,
}

impl Cluster {
    /// Makes a lab, starts both nodes and waits until [`PREFERRED`] has the virtual IPs.
    ///
    /// # Errors
    ///
    /// When something does not start, or the nodes do not come to that.
    pub fn start(system: &System, service: Service) -> Result<Self> {
        let mut lab = Lab::create(&NODES)?;
        lab.capture()?;
        let second = service.has_second.then(|| lab.add_second(PREFERRED));
        let sampled = service.sampled();
        let echoes = lab
            .nodes()
            .iter()
            .map(|node| Echo::start(node, &sampled))
            .collect::<Result<_>>()?;
        let mut cluster = Self {
            members: Vec::new(),
            applications: Vec::new(),
            _echoes: echoes,
            service,
            _second: second.transpose()?,
            lab,
        };
        cluster.start_members(system).inspect_err(|_| {
            cluster.lab.keep_evidence();
        })?;
        Ok(cluster)
    }

    /// The lab.
    #[must_use]
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// What the nodes share.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// The program that moves the virtual IPs, on this node.
    pub fn daemon(&mut self, node: u8) -> &mut Daemon {
        match &mut self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.daemon(),
            Member::Keepalived(keepalived) => &mut keepalived.daemon,
        }
    }

    /// Starts what moves the virtual IPs on this node again, after it has ended.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_again(&mut self, node: u8) -> Result<()> {
        match &mut self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.start_again(self.lab.node(node)),
            Member::Keepalived(keepalived) => keepalived.start_again(self.lab.node(node)),
        }
    }

    /// Has the next start on this node run an agent that was built otherwise, or the ordinary one again.
    pub fn change_program(&mut self, node: u8, to: Option<Variant>) {
        match &mut self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.change_program(to),
            Member::Keepalived(_) => {}
        }
    }

    /// The agent on this node, if it is one of ours, to be changed.
    pub fn agent_mut(&mut self, node: u8) -> Option<&mut Agent> {
        match &mut self.members[usize::from(node)] {
            Member::HaAgent(agent) => Some(agent),
            Member::Keepalived(_) => None,
        }
    }

    /// Ends the agent on this node as a restart does; keepalived knows no other end than a stop.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn hand_over(&mut self, node: u8) -> Result<()> {
        match &mut self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.daemon().hand_over(END),
            Member::Keepalived(keepalived) => keepalived.daemon.stop(END),
        }
    }

    /// The application on this node, if the service has one.
    ///
    /// # Panics
    ///
    /// When it has none.
    pub fn application(&mut self, node: u8) -> &mut Daemon {
        &mut self.applications[usize::from(node)].daemon
    }

    /// Moves the virtual IPs to this node, as an operator would.
    ///
    /// # Errors
    ///
    /// When the system refuses.
    pub fn promote(&self, node: u8) -> Result<()> {
        for (other, member) in self.lab.nodes().iter().zip(&self.members) {
            match member {
                Member::HaAgent(agent) if other.index() == node => agent.promote()?,
                Member::HaAgent(_) => {}
                Member::Keepalived(_) => Keepalived::lower(other, other.index() != node)?,
            }
        }
        Ok(())
    }

    /// Has this node, which has the virtual IPs, hand them over. keepalived has no such command: what an operator would
    /// do there is to lower its priority.
    ///
    /// # Errors
    ///
    /// When the system refuses, or nobody takes over.
    pub fn switch_over(&self, node: u8) -> Result<()> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.switch_over(),
            Member::Keepalived(_) => Keepalived::lower(self.lab.node(node), true),
        }
    }

    /// Takes this node out of service, or back into it.
    ///
    /// # Errors
    ///
    /// As for [`Self::switch_over`].
    pub fn set_drained(&self, node: u8, drained: bool) -> Result<()> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) if drained => agent.drain(),
            Member::HaAgent(agent) => agent.undrain(),
            Member::Keepalived(_) => Keepalived::lower(self.lab.node(node), drained),
        }
    }

    /// Whether this node says that it has the virtual IPs; `None` while it has some of them.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    pub fn is_active(&self, node: u8) -> Result<Option<bool>> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.is_active().map(Some),
            Member::Keepalived(_) => {
                Keepalived::has_all(self.lab.node(node), &self.service.sampled())
            }
        }
    }

    /// How often this node has begun or ceased to have the virtual IPs.
    ///
    /// # Errors
    ///
    /// When it does not tell.
    pub fn role_changes(&self, node: u8) -> Result<u64> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.role_changes(),
            Member::Keepalived(_) => Keepalived::transitions(self.lab.node(node)),
        }
    }

    /// The agent on this node, if it is one of ours.
    #[must_use]
    pub fn agent(&self, node: u8) -> Option<&Agent> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) => Some(agent),
            Member::Keepalived(_) => None,
        }
    }

    /// Kinds of the events that this node's agent remembers; keepalived keeps none.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    pub fn noted(&self, node: u8) -> Result<BTreeSet<String>> {
        match &self.members[usize::from(node)] {
            Member::HaAgent(agent) => agent.noted(),
            Member::Keepalived(_) => Ok(BTreeSet::new()),
        }
    }

    /// Waits until this node has sent an advertisement, so that what is done next meets it at the
    /// start of its interval.
    ///
    /// # Errors
    ///
    /// When it sends none.
    pub fn await_advertisement(&self, node: u8) -> Result<()> {
        advert::wait_for(&self.lab, node, self.first_vip())
    }

    fn first_vip(&self) -> IpAddr {
        self.service.vips[0]
    }

    fn start_members(&mut self, system: &System) -> Result<()> {
        ensure!(
            !self.service.vips.is_empty(),
            "a service needs a virtual IP"
        );
        for (node, priority) in self.lab.nodes().iter().zip(PRIORITIES) {
            if self.service.has_application {
                self.applications.push(Application::start(node)?);
            }
            let member = match system {
                System::HaAgent(program) => {
                    let mut setup = Setup {
                        tables: tables(&self.lab, node, &self.service),
                        ..Setup::new(&self.service, priority)
                    };
                    if self.service.has_application {
                        setup.group += &application::track();
                        setup.tables += &application::check(node);
                    }
                    Member::HaAgent(Agent::start_as(program, node, &setup)?)
                }
                System::Keepalived => {
                    Member::Keepalived(Keepalived::start(node, &self.service, priority)?)
                }
            };
            self.members.push(member);
        }
        self.await_order()
            .context("the nodes did not agree that the first is Active and the second is Backup")
    }

    fn await_order(&mut self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(20);
        let begun = Instant::now();
        loop {
            for node in [PREFERRED, STANDBY] {
                self.daemon(node).expect_running()?;
            }
            // An agent that is still starting cannot be asked yet.
            let preferred = self.is_active(PREFERRED);
            let standby = self.is_active(STANDBY);
            if matches!((&preferred, &standby), (Ok(Some(true)), Ok(Some(false)))) {
                return Ok(());
            }
            if begun.elapsed() > LIMIT {
                preferred?;
                standby?;
                bail!(
                    "after {LIMIT:?} it is otherwise; last words of the first:\n{}\nand of the second:\n{}",
                    self.daemon(PREFERRED).last_words(),
                    self.daemon(STANDBY).last_words()
                );
            }
            sleep(Duration::from_millis(100));
        }
    }
}

/// What the agent on this node is told beside its group.
fn tables(lab: &Lab, node: &Node, service: &Service) -> String {
    match service.liveness {
        Some(interval) if service.has_second => second::tables(lab, node.index(), interval, RETURN),
        interval => peers(lab, node, interval),
    }
}

/// The other nodes, to be watched over both families.
fn peers(lab: &Lab, node: &Node, interval: Option<Duration>) -> String {
    let Some(interval) = interval else {
        return String::new();
    };
    let others = lab
        .nodes()
        .iter()
        .filter(|other| other.index() != node.index());
    others.map(|other| agent::peer(other, interval)).collect()
}
