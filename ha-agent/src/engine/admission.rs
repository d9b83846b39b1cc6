//! Which MAC a group begins with: the virtual one where a second MAC gets through, as far as can be known, and the
//! interface's own where the configuration says so. Otherwise it does not begin.
//!
//! What goes on under the lease of the agent before keeps the MAC that it has ([`super::answers`]), and nobody is asked.

use std::{collections::BTreeSet, net::IpAddr};

use anyhow::{Result, bail};
use ha_common::{abi::Mac, wire::vrrp};

use super::{
    Engine,
    answers::{Answers, Left},
    group::Group,
    port::{Ground, Port, Presence},
};
use crate::{
    admission::{self, Admission, Admissions, MEND, Question},
    config::{self, AnsweringMac, Config, MacFallback, difference::Fate},
    dataplane::{Admitted, admitted},
    net::Netlink,
};

/// What is to be found out before these groups begin. `kept` stays in the filters.
async fn questions(
    config: &Config,
    groups: impl Iterator<Item = &config::Group> + Clone,
    grounds: &[Ground],
    kept: &Admitted,
    netlink: &Netlink,
) -> Result<Vec<Question>> {
    if groups.clone().all(|group| macs(group).is_none()) {
        return Ok(Vec::new());
    }
    let own = netlink.all_addresses().await?;
    let own: Vec<IpAddr> = own.iter().map(|own| own.address).collect();
    let gateways = netlink.gateways().await?;
    let gateways_at = |at| {
        let there = gateways.iter().filter(move |(index, _)| *index == at);
        there.map(|(_, address)| *address)
    };
    let there = grounds.iter().filter(|g| g.presence != Presence::Gone);
    let questions = there.filter_map(|ground| {
        let (name, index) = (&ground.link.name, ground.link.index);
        let here = groups
            .clone()
            .filter(|group| group.interfaces().any(|on| on == name));
        let macs: BTreeSet<Mac> = here.filter_map(macs).flatten().collect();
        (!macs.is_empty()).then(|| Question {
            index,
            name: name.clone(),
            own: ground.home.mac,
            macs,
            kept: kept.get(&index).cloned().unwrap_or_default(),
            hosts: admission::hosts(config, name, &own, gateways_at(ground.home.index)),
        })
    });
    Ok(questions.collect())
}

/// Finds out for all groups, before any of them begins.
pub(super) async fn find_out_for_all(
    config: &Config,
    grounds: &[Ground],
    netlink: &Netlink,
) -> Result<Admissions> {
    let groups = config.groups.iter();
    let questions = questions(config, groups.clone(), grounds, &Admitted::new(), netlink).await?;
    let found = admission::find_out(netlink.clone(), questions).await?;
    permit(groups, &found)?;
    Ok(found)
}

/// The virtual MACs of a group that is to have some.
fn macs(group: &config::Group) -> Option<[Mac; 2]> {
    match group.mac {
        AnsweringMac::Virtual(vrid) => Some([vrrp::mac4(vrid.get()), vrrp::mac6(vrid.get())]),
        AnsweringMac::Interface => None,
    }
}

/// Fails if one of these groups has to have a MAC that does not get through.
fn permit<'a>(groups: impl Iterator<Item = &'a config::Group>, found: &Admissions) -> Result<()> {
    for group in groups.filter(|group| macs(group).is_some()) {
        if let (MacFallback::None, Answers::ByInterface(why)) =
            (group.mac_fallback, answers(group, found))
        {
            bail!(
                "the virtual MAC of the group {} does not get through: {why}. Have it let through ({MEND}), or have \
                 the group answer with the interface's own: mac_fallback = \"interface\", or mac = \"interface\"",
                group.name
            );
        }
    }
    Ok(())
}

fn answers(group: &config::Group, found: &Admissions) -> Answers {
    let mut answers = Answers::AsConfigured;
    for name in group.interfaces() {
        match found.get(name) {
            // On any of its interfaces it is to answer alike.
            Some(Admission::Refused(why)) => {
                return Answers::ByInterface(format!("{name}: {why}"));
            }
            Some(Admission::Unproved(why)) if answers == Answers::AsConfigured => {
                answers = Answers::Unproved(format!("{name}: {why}"));
            }
            Some(Admission::Unproved(_) | Admission::Proved) | None => {}
        }
    }
    answers
}

/// Has a group that begins answer as was found out for it. `nic` is the own MAC of its interface.
pub(super) fn settle(group: &mut Group, config: &config::Group, found: &Admissions, nic: Mac) {
    if macs(config).is_some() {
        group.answer(answers(config, found), nic);
    }
}

impl Engine {
    /// Finds out for the groups of which an agent before has left nothing, while the others go on already.
    pub(super) async fn admit_others(&mut self, left: &[Left]) -> Result<()> {
        let is_other = |place: &usize| left.get(*place) == Some(&Left::Nothing);
        let places: Vec<_> = (0..self.groups.len()).filter(is_other).collect();
        if places.is_empty() {
            return Ok(());
        }
        let config = self.config.clone();
        let grounds: Vec<_> = self.ports.iter().map(Port::ground).collect();
        let groups = places.iter().map(|place| &config.groups[*place]);
        let found = self.find_out(&config, groups, &grounds).await?;
        for place in places {
            let group = &mut self.groups[place];
            let nic = self.ports[group.port].mac();
            settle(group, &config.groups[place], &found, nic);
        }
        Ok(())
    }

    /// Finds out for the groups that begin with another configuration.
    pub(super) async fn find_out_for(
        &mut self,
        config: &Config,
        fates: &[Fate],
        grounds: &[Ground],
    ) -> Result<Admissions> {
        let begins = |(_, fate): &(_, &Fate)| match fate {
            Fate::Added | Fate::Renewed { .. } => true,
            Fate::Kept { .. } => false,
        };
        let groups = config.groups.iter().zip(fates).filter(begins);
        let groups = groups.map(|(group, _)| group);
        self.find_out(config, groups, grounds).await
    }

    /// Finds out for these, while the others go on.
    async fn find_out(
        &mut self,
        config: &Config,
        groups: impl Iterator<Item = &config::Group> + Clone,
        grounds: &[Ground],
    ) -> Result<Admissions> {
        let kept = admitted(&self.dataplane.actual());
        let questions = questions(config, groups.clone(), grounds, &kept, &self.netlink).await?;
        if questions.is_empty() {
            return Ok(Admissions::new());
        }
        let work = tokio::spawn(admission::find_out(self.netlink.clone(), questions));
        let found = self.meanwhile(work).await??;
        permit(groups, &found)?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A group with a way beside its own interface.
    fn config(keys: &str) -> Config {
        let text = format!(
            "[node]\nname = \"a\"\n[[interface]]\nname = \"eth0\"\n[[interface]]\nname = \"eth1\"\n\
             [[group]]\nname = \"web\"\ninterface = \"eth0\"\nvips = [\"192.0.2.10\"]\n{keys}\
             election = {{ type = \"vrrp\", vrid = 51 }}\nlocal = {{ fallback = [\"eth1\"] }}\n"
        );
        Config::parse(&text, Path::new("ha.toml")).unwrap()
    }

    fn found(eth0: Admission, eth1: Admission) -> Admissions {
        [("eth0".to_owned(), eth0), ("eth1".to_owned(), eth1)].into()
    }

    fn refused() -> Admission {
        Admission::Refused("not here".to_owned())
    }

    #[test]
    fn one_interface_that_is_closed_is_enough() {
        let group = &config("").groups[0];
        let unproved = || Admission::Unproved("nobody".to_owned());
        let cases = [
            (Admission::Proved, Admission::Proved, Answers::AsConfigured),
            (
                Admission::Proved,
                unproved(),
                Answers::Unproved("eth1: nobody".to_owned()),
            ),
            (
                unproved(),
                refused(),
                Answers::ByInterface("eth1: not here".to_owned()),
            ),
        ];
        for (eth0, eth1, expected) in cases {
            assert_eq!(answers(group, &found(eth0, eth1)), expected);
        }
        assert_eq!(answers(group, &Admissions::new()), Answers::AsConfigured);
    }

    #[test]
    fn only_a_group_that_may_have_no_other_mac_is_not_permitted() {
        let closed = found(Admission::Proved, refused());
        let permit = |keys| permit(config(keys).groups.iter(), &closed);
        let said = permit("").unwrap_err().to_string();
        assert!(
            said.contains("group web does not get through: eth1: not here"),
            "{said}"
        );
        assert!(permit("mac_fallback = \"interface\"\n").is_ok());
        assert!(permit("mac = \"interface\"\n").is_ok());
    }
}
