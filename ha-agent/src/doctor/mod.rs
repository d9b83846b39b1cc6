//! Whether the host is as virtual IPs need it: one check a file, each of which looks and then judges.
//!
//! * [`check`]: what a check is; a new one is a file and a line in [`CHECKS`];
//! * [`Host`]: what several checks want to know, looked up once;
//! * [`Finding`]: what is said about one thing, and [`Report`] all of it.
//!
//! Nothing is changed, and nothing that runs is disturbed.

mod accept_local;
mod address;
mod arp_announce;
mod arp_ignore;
mod bond;
mod bpffs;
mod bridge;
mod capabilities;
mod check;
mod clock;
mod driver;
mod filter;
mod finding;
mod firewall;
mod host;
mod interface;
mod kernel;
mod linkdown;
mod manager;
mod mtu;
mod nonlocal_bind;
mod offloads;
mod programs;
mod queues;
mod report;
mod rp_filter;
mod sysctl;
mod vlan;

use anyhow::Result;

use check::{Entry, entry};

pub use self::{
    check::Shown,
    finding::{Finding, Level},
    report::Report,
};
use crate::config::Config;
use host::Host;

/// All checks, in the order in which they are made.
pub const CHECKS: [Entry; 23] = [
    entry::<kernel::Kernel>(),
    entry::<capabilities::Capabilities>(),
    entry::<bpffs::BpfFs>(),
    entry::<clock::Clock>(),
    entry::<interface::Interface>(),
    entry::<bond::Bond>(),
    entry::<bridge::Bridge>(),
    entry::<manager::Manager>(),
    entry::<driver::Driver>(),
    entry::<programs::Programs>(),
    entry::<mtu::Mtu>(),
    entry::<queues::Queues>(),
    entry::<offloads::Offloads>(),
    entry::<vlan::Vlan>(),
    entry::<filter::Filter>(),
    entry::<address::Address>(),
    entry::<arp_ignore::ArpIgnore>(),
    entry::<arp_announce::ArpAnnounce>(),
    entry::<accept_local::AcceptLocal>(),
    entry::<rp_filter::RpFilter>(),
    entry::<linkdown::LinkDown>(),
    entry::<nonlocal_bind::NonlocalBind>(),
    entry::<firewall::Firewall>(),
];

/// What the doctor may do beside looking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permission {
    /// To attach a program for a moment where none is, which makes some drivers reset their NIC.
    pub attach: bool,
}

/// Makes all checks.
///
/// # Errors
/// If the kernel does not even say what interfaces there are.
pub async fn examine(config: Config, permission: Permission) -> Result<Report> {
    let host = Host::look(config, permission).await?;
    let mut findings = Vec::new();
    for check in &CHECKS {
        findings.extend(check.examine(&host).await);
    }
    Ok(Report::new(findings))
}

/// Logs what the operator should know of when the agent starts, once.
pub(crate) async fn advise(config: Config) {
    let host = match Host::look(config, Permission::default()).await {
        Ok(host) => host,
        Err(error) => return tracing::warn!("cannot look at the host: {error:#}"),
    };
    for check in CHECKS.iter().filter(|check| check.at_start) {
        for finding in check.examine(&host).await {
            match finding.level {
                Level::Ok => {}
                Level::Warning | Level::Failure => tracing::info!("{}", finding.sentence()),
            }
        }
    }
}
