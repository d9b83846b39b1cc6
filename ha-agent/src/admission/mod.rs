//! Whether frames to and from a second MAC get through on an interface: its driver is told to let virtual MACs through,
//! and a host is asked to answer to another MAC than the interface's own.
//!
//! The virtual MACs themselves are no question's sender: switches would turn to this node, and the Active one would lose
//! its traffic. A [`trial`] MAC stands for them. The filter is left as it was found.

mod hosts;
mod trial;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use ha_common::abi::Mac;

use self::trial::{Tried, attempt};
pub use self::{
    hosts::hosts,
    trial::{is_trial, trial_mac},
};
use crate::net::{Netlink, NetlinkError};

/// What makes a hypervisor let a second MAC through.
pub const MEND: &str = "for a virtual function, on its host: `ip link set dev PF vf N trust on spoofchk off`; in a virtual \
                        machine, have its network allow MAC changes, forged transmits and promiscuous mode";

/// What is to be found out of one interface.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The MAC at which the host is found there.
    pub own: Mac,
    /// The virtual MACs that it is to let through.
    pub macs: BTreeSet<Mac>,
    /// MACs that stay in its filter whatever comes out.
    pub kept: BTreeSet<Mac>,
    /// Who may be asked.
    pub hosts: Vec<Ipv4Addr>,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A second MAC gets through.
    Proved,
    /// Nothing speaks against it, but nobody has answered: why.
    Unproved(String),
    /// It does not: why.
    Refused(String),
}

/// What was found out, by the name of the interface.
pub type Admissions = BTreeMap<String, Admission>;

/// Finds out, of all interfaces at once.
///
/// # Errors
/// If the kernel does not let it ask.
pub async fn find_out(netlink: Netlink, questions: Vec<Question>) -> Result<Admissions> {
    let each = questions.iter().map(|question| async {
        let found = of_one(&netlink, question).await;
        let name = question.name.clone();
        let found = found.with_context(|| format!("cannot try a second MAC on {name}"))?;
        anyhow::Ok((name, found))
    });
    Ok(try_join_all(each).await?.into_iter().collect())
}

/// Takes away what is tried with, also what an agent that was killed meanwhile has left in the filter of the interface
/// `index`.
async fn sweep(netlink: &Netlink, index: u32) -> Result<(), NetlinkError> {
    let found = netlink.filters(index).await?;
    let left = found.into_iter().filter(|mac| is_trial(*mac));
    netlink.del_filters(index, left).await
}

async fn of_one(netlink: &Netlink, question: &Question) -> Result<Admission> {
    let Question { index, own, .. } = *question;
    let before = netlink.filters(index).await?;
    let trial = trial_mac(own);
    // First and last: it tells the next agent that this one was killed in between.
    let room = permitted(netlink.add_filters(index, [trial]).await)?;
    let entered = permitted(
        netlink
            .add_filters(index, question.macs.iter().copied())
            .await,
    )?;
    let found = match (entered, room) {
        (Ok(()), Ok(())) => tried(netlink, question, trial).await,
        (Ok(()), Err(why)) => Ok(Admission::Unproved(format!(
            "there is no room for a MAC to try it with: {why}"
        ))),
        (Err(why), _) => crowded(netlink, question, why).await,
    };
    let left = before.iter().any(|mac| is_trial(*mac));
    // A driver that takes none does not give any back either.
    let after = netlink.filters(index).await?;
    let macs = question.macs.intersection(&after).copied();
    let added = macs.filter(|mac| (left || !before.contains(mac)) && !question.kept.contains(mac));
    netlink.del_filters(index, added).await?;
    sweep(netlink, index).await?;
    found
}

/// The MACs did not go into the filter beside the one that they are tried with; perhaps they do alone.
async fn crowded(netlink: &Netlink, question: &Question, why: String) -> Result<Admission> {
    sweep(netlink, question.index).await?;
    let alone = netlink.add_filters(question.index, question.macs.iter().copied());
    Ok(match permitted(alone.await)? {
        Ok(()) => Admission::Unproved(format!("there is no room for a MAC to try it with: {why}")),
        Err(why) => Admission::Refused(format!("its driver does not take virtual MACs: {why}")),
    })
}

async fn tried(netlink: &Netlink, question: &Question, trial: Mac) -> Result<Admission> {
    let Question {
        index,
        name,
        own,
        hosts,
        ..
    } = question;
    let link = netlink.link_at(*index).await?;
    if !link.is_some_and(|link| link.up) {
        return Ok(Admission::Unproved(format!("{name} has no link")));
    }
    if hosts.is_empty() {
        return Ok(Admission::Unproved(
            "no host in [[peer]], [witness], `peers` or the routes can be asked over IPv4 here"
                .to_owned(),
        ));
    }
    Ok(match attempt(*index, *own, trial, hosts).await? {
        Tried::Arrived => Admission::Proved,
        Tried::Nobody => {
            let hosts: Vec<_> = hosts.iter().map(Ipv4Addr::to_string).collect();
            Admission::Unproved(format!("nobody answers of {}", hosts.join(", ")))
        }
        Tried::NotTo(host) => Admission::Refused(format!(
            "{host} answers to its own MAC {own}, and what it answers to another one ({trial}) does not arrive"
        )),
        Tried::NotFrom(host) => Admission::Refused(format!(
            "{host} answers to what comes from its own MAC {own}, and not to what comes from another one ({trial})"
        )),
    })
}

/// The driver's refusal is an answer; that there is no such interface any more, or no connection, is none.
fn permitted(result: Result<(), NetlinkError>) -> Result<Result<(), String>> {
    match result {
        Ok(()) => Ok(Ok(())),
        Err(NetlinkError::Refused { source, action })
            if source.raw_os_error() != Some(libc::ENODEV) =>
        {
            Ok(Err(format!("cannot {action}: {source}")))
        }
        Err(error) => Err(error.into()),
    }
}
