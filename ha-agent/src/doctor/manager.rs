//! Programs that manage the network, and could take away what the agent has made.

use std::{fs, io};

use anyhow::{Context, Result};

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};

/// Where systemd-networkd says what it does with an interface, by its index.
const NETWORKD: &str = "/run/systemd/netif/links";
/// The same of `NetworkManager`.
const NETWORK_MANAGER: &str = "/run/NetworkManager/devices";
/// Every namespace's loopback interface has this index.
const LOOPBACK: u32 = 1;

/// Who manages an interface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    networkd: bool,
    network_manager: bool,
    loopback: bool,
}

#[derive(Debug)]
pub(super) struct Manager;

impl Check for Manager {
    const NAME: &'static str = "manager";
    const ABOUT: &'static str = "Whether systemd-networkd or NetworkManager manages the interfaces, or the loopback \
         interface, whose routes make virtual IPs local and could be taken for strangers'.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let served = host
            .served()
            .map(|served| (served.device.name.clone(), served.device.index));
        let all = [("lo".to_owned(), LOOPBACK)].into_iter().chain(served);
        all.map(|(name, index)| {
            let networkd = state(NETWORKD, index)?;
            let network_manager = state(NETWORK_MANAGER, index)?;
            let facts = Facts {
                networkd: networkd.is_some_and(|state| is_configured(&state)),
                network_manager: network_manager
                    .is_some_and(|state| state.contains("managed=true")),
                loopback: index == LOOPBACK,
            };
            Ok((name, facts))
        })
        .collect()
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            networkd,
            network_manager,
            loopback,
        } = *facts;
        let verdict = match (loopback, networkd, network_manager) {
            (true, true, _) => Verdict::warning(
                "systemd-networkd manages it",
                "When it restarts it removes routes that it does not know from the interfaces that it manages: \
                 applications could not bind virtual IPs any more.",
                "set `ManageForeignRoutes=no` in networkd.conf, or have no .network file match lo",
            ),
            (true, false, _) => Verdict::ok("its routes are left alone"),
            (false, false, false) => Verdict::ok("nobody manages it"),
            (false, true, _) => Verdict::ok("systemd-networkd manages it"),
            (false, false, true) => Verdict::ok("NetworkManager manages it"),
        };
        vec![verdict]
    }
}

fn state(place: &str, index: u32) -> Result<Option<String>> {
    let path = format!("{place}/{index}");
    match fs::read_to_string(&path) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
    }
}

fn is_configured(state: &str) -> bool {
    let states = ["configuring", "configured", "pending"];
    let of = state
        .lines()
        .find_map(|line| line.strip_prefix("ADMIN_STATE="));
    of.is_some_and(|state| states.contains(&state))
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn networkd_must_leave_the_loopback_interface_alone() {
        let judge = |loopback, networkd, network_manager| {
            let facts = Facts {
                networkd,
                network_manager,
                loopback,
            };
            Manager::judge(&facts).remove(0).level
        };
        assert_eq!(judge(true, true, false), Level::Warning);
        assert_eq!(judge(true, false, true), Level::Ok);
        assert_eq!(judge(false, true, true), Level::Ok);
    }

    #[test]
    fn a_link_that_is_unmanaged_is_not_managed() {
        assert!(is_configured("# private\nADMIN_STATE=configured\n"));
        assert!(!is_configured("ADMIN_STATE=unmanaged\n"));
        assert!(!is_configured(""));
    }
}
