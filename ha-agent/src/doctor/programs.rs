//! Other XDP programs on the interfaces: there is room for one.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::dataplane;

/// The program on an interface.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    interface: String,
    /// Its id, and its name if that can be seen.
    program: Option<(u32, Option<String>)>,
    own: bool,
}

/// Programs of others, by how their names begin, and how to live with them.
const OTHERS: [(&str, &str, &str); 4] = [
    (
        "xdp_dispatcher",
        "libxdp",
        "`xdp-loader unload IF --all` takes its programs off; those that only watch can go to the ingress of traffic \
         control (tcx), which runs behind the data path",
    ),
    (
        "cil_xdp",
        "Cilium",
        "set `loadBalancer.acceleration=disabled` (and `enable-xdp-prefilter=false`) in Cilium, or give virtual IPs an \
         interface of their own",
    ),
    (
        "xsk_def",
        "an AF_XDP application",
        "give one of both an interface of its own",
    ),
    (
        "ha_xdp",
        "another agent, or an older one with another pin directory",
        "stop it and run its `ha-agent detach --all`, or set `node.pin_dir` to its directory",
    ),
];

#[derive(Debug)]
pub(super) struct Programs;

impl Check for Programs {
    const NAME: &'static str = "programs";
    const ABOUT: &'static str = "Other XDP programs on the interfaces, by name and id, and how to live with them. An \
         interface has room for one, and the agent replaces none that is not its own.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let served = host.served().map(|served| {
            let device = served.device;
            let program = device.xdp.map(|xdp| {
                let name = dataplane::program_name(xdp.program);
                (xdp.program, name)
            });
            let facts = Facts {
                interface: device.name.clone(),
                program,
                own: host.is_own(device),
            };
            (device.name.clone(), facts)
        });
        Ok(served.collect())
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { interface, own, .. } = facts;
        let verdict = match &facts.program {
            None => Verdict::ok("no program: the place is free"),
            Some((id, _)) if *own => Verdict::ok(format!("the data path (id {id}) and no other")),
            Some((id, name)) => {
                let name = name.as_deref().unwrap_or_default();
                let (owner, mend) = owner(name, interface);
                Verdict::failure(
                    format!("has the program \"{name}\" (id {id}) of {owner}"),
                    "There is room for one program: the agent does not start while it is there.",
                    mend,
                )
            }
        };
        vec![verdict]
    }
}

fn owner(name: &str, interface: &str) -> (&'static str, String) {
    let known = OTHERS.iter().find(|(begin, ..)| name.starts_with(begin));
    match known {
        Some((_, owner, mend)) => (owner, mend.replace("IF", interface)),
        None => (
            "somebody else",
            format!("ip link set dev {interface} xdp off"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn only_the_own_one_may_be_there() {
        let judge = |program: Option<&str>, own| {
            let program = program.map(|name| (42, Some(name.to_owned())));
            let facts = Facts {
                interface: "eth0".to_owned(),
                program,
                own,
            };
            Programs::judge(&facts).remove(0)
        };
        assert_eq!(judge(None, false).level, Level::Ok);
        assert_eq!(judge(Some("ha_xdp"), true).level, Level::Ok);
        let stranger = judge(Some("xdp_filter"), false);
        assert_eq!(stranger.level, Level::Failure);
        assert!(stranger.seen.contains("\"xdp_filter\" (id 42)"));
        assert_eq!(stranger.mend, "ip link set dev eth0 xdp off");
        assert!(judge(Some("ha_xdp"), false).seen.contains("another agent"));
        assert!(
            judge(Some("xdp_dispatcher"), false)
                .mend
                .contains("unload eth0 --all")
        );
        assert!(judge(Some("cil_xdp_entry"), false).seen.contains("Cilium"));
    }
}
