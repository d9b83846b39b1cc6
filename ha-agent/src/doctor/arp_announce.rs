//! Whether the host asks for neighbours in a virtual IP's name.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    sysctl,
};

/// The sender of an ARP request is an address of an interface, rather than the source of the packet that waits
/// for the answer (ip-sysctl.rst).
const OF_AN_INTERFACE: u8 = 2;

/// An interface with IPv4 virtual IPs.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    announce: u8,
}

#[derive(Debug)]
pub(super) struct ArpAnnounce;

impl Check for ArpAnnounce {
    const NAME: &'static str = "arp_announce";
    const ABOUT: &'static str = "Whether the host asks for neighbours in its own name (`arp_announce=2`), or in that of \
         the virtual IP from which an application sends, and with the NIC's MAC.";
    const SHOWN: Shown = Shown::Lab;
    const AT_START: bool = true;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        host.served_v4()
            .map(|name| {
                let facts = Facts {
                    name: name.to_owned(),
                    announce: sysctl::in_force(name, "arp_announce")?,
                };
                Ok((name.to_owned(), facts))
            })
            .collect()
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { name, announce } = facts;
        if *announce >= OF_AN_INTERFACE {
            return vec![Verdict::ok(format!(
                "{announce}: the host asks in its own name"
            ))];
        }
        vec![Verdict::warning(
            format!("arp_announce of {name} is {announce}"),
            "When an application sends from a virtual IP, neighbours are asked for with it and the NIC's MAC, and learn \
             that one; on a Backup the question is withheld.",
            sysctl::set(name, "arp_announce", OF_AN_INTERFACE),
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn only_two_is_enough() {
        let judge = |announce| {
            let name = "eth0".to_owned();
            ArpAnnounce::judge(&Facts { name, announce }).remove(0)
        };
        assert_eq!(judge(2).level, Level::Ok);
        for value in [0, 1] {
            assert_eq!(judge(value).level, Level::Warning);
            assert_eq!(
                judge(value).mend,
                "sysctl -w net.ipv4.conf.eth0.arp_announce=2"
            );
        }
    }
}
