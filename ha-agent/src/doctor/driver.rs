//! Whether the driver runs XDP programs: asked, or tried.

mod quirks;

use anyhow::Result;
use aya::util::KernelVersion;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    host::{Served, driver},
};
use crate::{config::Mode, dataplane, net::XdpFeatures};

/// First kernel that takes a program off when its process ends.
const LINKS: KernelVersion = KernelVersion::new(5, 9, 0);

/// An interface and its driver.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    /// The driver's name, or the kind of a virtual interface.
    driver: String,
    kernel: KernelVersion,
    mtu: u32,
    mode: Mode,
    /// How this agent's data path is attached, if it is.
    own: Option<Mode>,
    features: Option<XdpFeatures>,
    /// How an attempt ended, if one was made.
    attempt: Option<Result<(), String>>,
}

#[derive(Debug)]
pub(super) struct Driver;

impl Check for Driver {
    const NAME: &'static str = "driver";
    const ABOUT: &'static str = "Whether the driver runs XDP programs in the mode of the configuration: the data path \
         runs, or the kernel says so (6.3), or `--attach` has tried it; and known faults of drivers. A veth must have \
         a program on its other end too, or it loses answers.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let mut seen = Vec::new();
        for served in host.served() {
            let facts = look_at(host, served).await?;
            seen.push((served.device.name.clone(), facts));
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let mut verdicts: Vec<_> = quirks::of(&facts.driver, facts.kernel, facts.mtu).collect();
        verdicts.push(match facts.mode {
            Mode::Native => judge_native(facts),
            Mode::Generic => judge_generic(facts),
        });
        verdicts
    }
}

async fn look_at(host: &Host, served: Served<'_>) -> Result<Facts> {
    let device = served.device;
    let own = device.xdp.filter(|_| host.is_own(device));
    // Before, a program stays if the process is killed in between.
    let has_links = host.kernel >= LINKS;
    let may_try = host.permission.attach && device.xdp.is_none() && has_links;
    let attempt = may_try.then(|| {
        let tried = dataplane::attempt(device.index, served.mode);
        tried.map_err(|error| format!("{error:#}"))
    });
    Ok(Facts {
        name: device.name.clone(),
        driver: match device.kind.as_str() {
            "" => driver(device).unwrap_or_default(),
            kind => kind.to_owned(),
        },
        kernel: host.kernel,
        mtu: device.mtu,
        mode: served.mode,
        own: own.map(|xdp| match xdp.generic {
            true => Mode::Generic,
            false => Mode::Native,
        }),
        features: host.xdp_features(device).await?,
        attempt,
    })
}

fn judge_native(facts: &Facts) -> Verdict {
    let Facts { name, .. } = facts;
    let driver = named(facts);
    let generic = format!("set `mode = \"generic\"` in [[interface]] of {name}, which is slower");
    if facts.driver == "vlan" {
        return Verdict::failure(
            "is a VLAN interface, which runs no XDP programs",
            "The agent does not start.",
            "name the NIC below it in [[interface]], and the VLAN in `vlan = [ID]` of the groups",
        );
    }
    // The flag says whether a veth takes what is sent, which is what its other end decides.
    let lost = facts.features.is_some_and(|can| can.basic && !can.transmit);
    if facts.driver == "veth" && lost {
        return Verdict::failure(
            "the other end of this veth has no XDP program",
            "It does not take what the data path sends back: answers to ARP, ND and pings are lost.",
            "xdp-loader load -m native OTHER-END /usr/lib/bpf/xdp_pass.o, or another program that passes everything",
        );
    }
    if facts.own == Some(Mode::Generic) {
        return mismatch("generic", "native");
    }
    if let Some(Err(error)) = &facts.attempt {
        return Verdict::failure(
            format!("{driver} refuses a program: {error}"),
            "The agent does not start.",
            format!("see the checks mtu, queues and offloads, and `dmesg`; else {generic}"),
        );
    }
    match (facts.own, facts.features) {
        (Some(Mode::Native), _) => Verdict::ok(format!("{driver} runs the data path")),
        (Some(Mode::Generic) | None, _) if facts.attempt.is_some() => {
            Verdict::ok(format!("{driver} took a program"))
        }
        (_, Some(can)) if !can.basic => Verdict::failure(
            format!("{driver} cannot run XDP programs as it is set up now"),
            "The agent does not start.",
            format!("see the check queues; else {generic}"),
        ),
        (_, Some(_)) => Verdict::ok(format!("{driver} can run XDP programs")),
        (_, None) => Verdict::warning(
            format!(
                "{} does not tell whether {driver} runs XDP programs",
                facts.kernel
            ),
            "The agent will find out at its start.",
            "`ha-agent doctor --attach` tries it for a moment; some drivers reset the NIC for that",
        ),
    }
}

fn judge_generic(facts: &Facts) -> Verdict {
    let driver = named(facts);
    if facts.own == Some(Mode::Native) {
        return mismatch("native", "generic");
    }
    if let Some(Err(error)) = &facts.attempt {
        return Verdict::failure(
            format!("the stack refuses a program: {error}"),
            "The agent does not start.",
            "is the interface up, and of Ethernet?",
        );
    }
    let could = facts.features.is_some_and(|can| can.basic);
    if could && facts.driver != "veth" {
        return Verdict::warning(
            format!("is in generic mode, and {driver} could run it natively"),
            "The stack makes a packet of each frame first, and copies many: it is several times slower.",
            format!("set `mode = \"native\"` in [[interface]] of {}", facts.name),
        );
    }
    Verdict::ok(format!("generic mode, on {driver}"))
}

fn mismatch(found: &str, wanted: &str) -> Verdict {
    Verdict::failure(
        format!("the data path runs in {found} mode, and the configuration says {wanted}"),
        "The agent does not start again as it is.",
        "ha-agent detach --all, then start the agent",
    )
}

fn named(facts: &Facts) -> String {
    match facts.driver.as_str() {
        "" => "its driver".to_owned(),
        driver => format!("the driver {driver}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    const CAN: XdpFeatures = XdpFeatures {
        basic: true,
        redirect: true,
        transmit: true,
        fragments: true,
        transmit_fragments: true,
    };

    fn facts(driver: &str) -> Facts {
        Facts {
            name: "eth0".to_owned(),
            driver: driver.to_owned(),
            kernel: KernelVersion::new(6, 1, 0),
            mtu: 1500,
            mode: Mode::Native,
            own: None,
            features: Some(CAN),
            attempt: None,
        }
    }

    fn judge(facts: &Facts) -> (Level, String) {
        let verdicts = Driver::judge(facts);
        let worst = verdicts.iter().max_by_key(|verdict| verdict.level).unwrap();
        (worst.level, worst.mend.clone())
    }

    #[test]
    fn what_runs_is_the_best_proof_then_what_was_tried_then_what_is_said() {
        let none = Some(XdpFeatures::default());
        let case = |own, attempt, features| {
            let facts = Facts {
                own,
                attempt,
                features,
                ..facts("ice")
            };
            judge(&facts).0
        };
        let refused = || Some(Err("not supported".to_owned()));
        assert_eq!(case(Some(Mode::Native), None, none), Level::Ok);
        assert_eq!(case(None, Some(Ok(())), none), Level::Ok);
        assert_eq!(case(None, refused(), Some(CAN)), Level::Failure);
        assert_eq!(case(None, None, Some(CAN)), Level::Ok);
        assert_eq!(case(None, None, none), Level::Failure);
        assert_eq!(case(None, None, None), Level::Warning);
        assert_eq!(case(Some(Mode::Generic), None, Some(CAN)), Level::Failure);
    }

    #[test]
    fn virtual_interfaces() {
        let features = Some(XdpFeatures {
            transmit: false,
            ..CAN
        });
        let deaf = Facts {
            features,
            ..facts("veth")
        };
        assert_eq!(judge(&deaf).0, Level::Failure);
        assert_eq!(judge(&facts("veth")).0, Level::Ok);
        // A NIC says so only once it has a program.
        let nic = Facts {
            features,
            ..facts("mlx5_core")
        };
        assert_eq!(judge(&nic).0, Level::Ok);
        let (level, mend) = judge(&facts("vlan"));
        assert_eq!(level, Level::Failure);
        assert!(mend.contains("vlan = [ID]"), "{mend}");
    }

    #[test]
    fn generic_mode_is_told_where_the_driver_could_do_better() {
        let generic = Facts {
            mode: Mode::Generic,
            ..facts("ice")
        };
        assert_eq!(judge(&generic).0, Level::Warning);
        let cannot = Facts {
            features: Some(XdpFeatures::default()),
            ..generic.clone()
        };
        assert_eq!(judge(&cannot).0, Level::Ok);
        let other = Facts {
            own: Some(Mode::Native),
            ..generic
        };
        assert_eq!(judge(&other).0, Level::Failure);
    }

    #[test]
    fn known_faults_are_told_beside() {
        let faulty = Facts {
            kernel: KernelVersion::new(6, 14, 0),
            ..facts("igb")
        };
        assert_eq!(judge(&faulty).0, Level::Warning);
        assert_eq!(Driver::judge(&faulty).len(), 2);
        assert_eq!(Driver::judge(&facts("igb")).len(), 1);
        let large = Facts {
            mtu: 9000,
            ..facts("i40e")
        };
        assert_eq!(judge(&large).0, Level::Warning);
        assert_eq!(judge(&facts("i40e")).0, Level::Ok);
    }
}
