//! Whether packets that claim to be from a virtual IP are believed where there is no data path.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    sysctl,
};

/// An interface.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    accept: bool,
    served: bool,
    /// Whether the kernel answers ARP for virtual IPs there.
    answers: bool,
}

#[derive(Debug)]
pub(super) struct AcceptLocal;

impl Check for AcceptLocal {
    const NAME: &'static str = "accept_local";
    const ABOUT: &'static str = "Other interfaces that take packets from this host's own addresses, virtual IPs among \
         them: there the stack of a Backup answers the Active node's announcements. On the interfaces of the \
         configuration it is allowed, and lets programs of a Backup reach the Active node.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        if !host.vips().any(|vip| vip.is_ipv4()) {
            return Ok(Vec::new());
        }
        let served = host.served().map(|served| (served.device, true));
        let others = host.others().map(|device| (device, false));
        let all = served.chain(others).map(|(device, served)| {
            let name = device.name.clone();
            let facts = Facts {
                accept: sysctl::in_force(&name, "accept_local")? > 0,
                answers: sysctl::in_force(&name, "arp_ignore")? == 0,
                served,
                name: name.clone(),
            };
            Ok((name, facts))
        });
        all.collect()
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let verdict = match (facts.served, facts.accept) {
            (true, true) => Verdict::ok("1: programs of a Backup can reach the Active node"),
            (true, false) => Verdict::ok(
                "0: programs of a Backup that connect to a virtual IP reach their own host",
            ),
            (false, true) if facts.answers => Verdict::warning(
                "1, and the kernel answers ARP for virtual IPs here",
                "Packets that claim to be from a virtual IP are believed, and the Active node's announcements are \
                 answered: it takes that for a conflict.",
                sysctl::set(&facts.name, "accept_local", 0),
            ),
            (false, true) => Verdict::ok("1, and the kernel is silent for virtual IPs"),
            (false, false) => Verdict::ok("0"),
        };
        vec![verdict]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn only_other_interfaces_that_answer_matter() {
        let judge = |served, accept, answers| {
            let name = "eth1".to_owned();
            AcceptLocal::judge(&Facts {
                name,
                accept,
                served,
                answers,
            })
            .remove(0)
        };
        assert_eq!(judge(false, true, true).level, Level::Warning);
        assert_eq!(
            judge(false, true, true).mend,
            "sysctl -w net.ipv4.conf.eth1.accept_local=0"
        );
        assert_eq!(judge(false, true, false).level, Level::Ok);
        assert_eq!(judge(false, false, true).level, Level::Ok);
        assert_eq!(judge(true, true, true).level, Level::Ok);
    }
}
