//! Work that the NIC does for the stack, and that is in the way of a program between both.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::{config::Mode, net::Features};

/// Large receive offload, and its successor.
const MERGES: [&str; 2] = ["rx-lro", "rx-gro-hw"];
/// Checksums that the other side of a virtual cable is to make.
const CHECKSUM: &str = "tx-checksum-ip-generic";

/// The offloads of an interface.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    veth: bool,
    mode: Mode,
    features: Features,
}

#[derive(Debug)]
pub(super) struct Offloads;

impl Check for Offloads {
    const NAME: &'static str = "offloads";
    const ABOUT: &'static str = "Offloads that are in a program's way: `rx-lro` and `rx-gro-hw` merge frames before \
         it, and drivers refuse it then; on a veth `tx` leaves checksums to a NIC that never comes. The agent changes \
         none by itself.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let mut seen = Vec::new();
        for served in host.served() {
            let name = &served.device.name;
            if let Some(features) = host.offloads(name).await? {
                let facts = Facts {
                    name: name.clone(),
                    veth: served.device.kind == "veth",
                    mode: served.mode,
                    features,
                };
                seen.push((name.clone(), facts));
            }
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            name,
            veth,
            mode,
            features,
        } = facts;
        let is_on = |feature: &str| features.active.contains(feature);
        let mut verdicts = Vec::new();
        // In generic mode the stack turns the first off itself, and takes apart what the second made.
        let native = *mode == Mode::Native;
        for merges in MERGES
            .into_iter()
            .filter(|feature| native && is_on(feature))
        {
            verdicts.push(Verdict::failure(
                format!("{merges} is on"),
                "The NIC merges frames before the data path sees them. Most drivers refuse the program then.",
                format!("ethtool -K {name} {merges} off"),
            ));
        }
        if *veth && is_on(CHECKSUM) {
            verdicts.push(Verdict::warning(
                "tx is on: this host's frames leave without checksums",
                "A data path at the other end that sends them back or on sends them so: what this host sends to a \
                 virtual IP by way of a Backup is dropped where it arrives.",
                format!("ethtool -K {name} tx off"),
            ));
        }
        if verdicts.is_empty() {
            verdicts.push(Verdict::ok("none is in the way"));
        }
        verdicts
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn judge(active: &[&str], veth: bool, mode: Mode) -> Vec<Verdict> {
        let features = Features {
            active: active.iter().map(|name| (*name).to_owned()).collect(),
            ..Features::default()
        };
        let name = "eth0".to_owned();
        Offloads::judge(&Facts {
            name,
            veth,
            mode,
            features,
        })
    }

    #[test]
    fn merging_is_refused_and_missing_checksums_are_told() {
        let verdicts = judge(&["rx-gro", "rx-lro", "rx-gro-hw"], false, Mode::Native);
        let mends: Vec<_> = verdicts
            .iter()
            .map(|verdict| verdict.mend.as_str())
            .collect();
        assert_eq!(
            mends,
            [
                "ethtool -K eth0 rx-lro off",
                "ethtool -K eth0 rx-gro-hw off"
            ]
        );
        assert_eq!(judge(&["rx-lro"], false, Mode::Generic)[0].level, Level::Ok);
        assert_eq!(
            judge(&["rx-gro", CHECKSUM], false, Mode::Native)[0].level,
            Level::Ok
        );
        assert_eq!(
            judge(&[CHECKSUM], true, Mode::Native)[0].level,
            Level::Warning
        );
    }
}
