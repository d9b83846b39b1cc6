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
    program: Option<Program>,
    /// Whether it is this agent's; `None` if that cannot be seen.
    own: Option<bool>,
}

#[derive(Clone, Debug)]
struct Program {
    id: u32,
    /// Its name, if that can be seen; it may have none.
    name: String,
    /// The link that holds it there, if one does.
    link: Option<u32>,
}

/// Programs of others, by how their names begin, and how to live with them.
const OTHERS: [(&str, &str, &str); 4] = [
    ("xdp_dispatcher", "libxdp", "xdp-loader unload IF --all"),
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
            let program = device.xdp.map(|xdp| Program {
                id: xdp.program,
                name: dataplane::program_name(xdp.program).unwrap_or_default(),
                link: dataplane::link_of(xdp.program),
            });
            let facts = Facts {
                interface: device.name.clone(),
                program,
                own: host.whose(device),
            };
            (device.name.clone(), facts)
        });
        Ok(served.collect())
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { interface, own, .. } = facts;
        let verdict = match &facts.program {
            None => Verdict::ok("no program: the place is free"),
            Some(Program { id, .. }) if *own == Some(true) => {
                Verdict::ok(format!("the data path (id {id}) and no other"))
            }
            Some(Program { id, .. }) if own.is_none() => Verdict::warning(
                format!("has the program with id {id}; whose it is cannot be seen"),
                "If it is not this agent's, the agent does not start while it is there.",
                "run it as root",
            ),
            Some(program) => {
                let (owner, mend) = owner(program, interface);
                Verdict::failure(
                    format!(
                        "has the program \"{}\" (id {}) of {owner}",
                        program.name, program.id
                    ),
                    "There is room for one program: the agent does not start while it is there. What only watches can \
                     go to the ingress of traffic control, which runs behind the data path.",
                    mend,
                )
            }
        };
        vec![verdict]
    }
}

fn owner(program: &Program, interface: &str) -> (&'static str, String) {
    let mut others = OTHERS.iter();
    let known = others.find(|(begin, ..)| program.name.starts_with(begin));
    match (known, program.link) {
        (Some((_, owner, mend)), _) => (owner, mend.replace("IF", interface)),
        // While a link holds it, `ip link` is refused.
        (None, Some(link)) => ("somebody else", format!("bpftool link detach id {link}")),
        (None, None) => (
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
        let judge = |name: Option<&str>, link, own| {
            let program = name.map(|name| Program {
                id: 42,
                name: name.to_owned(),
                link,
            });
            let facts = Facts {
                interface: "eth0".to_owned(),
                program,
                own,
            };
            Programs::judge(&facts).remove(0)
        };
        let unseen = judge(Some(""), None, None);
        assert_eq!(unseen.level, Level::Warning);
        assert_eq!(judge(None, None, Some(false)).level, Level::Ok);
        assert_eq!(judge(Some("ha_xdp"), Some(3), Some(true)).level, Level::Ok);
        let stranger = judge(Some("xdp_filter"), None, Some(false));
        assert_eq!(stranger.level, Level::Failure);
        assert!(stranger.seen.contains("\"xdp_filter\" (id 42)"));
        assert_eq!(stranger.mend, "ip link set dev eth0 xdp off");
        let held = judge(Some("xdp_filter"), Some(7), Some(false));
        assert_eq!(held.mend, "bpftool link detach id 7");
        let older = judge(Some("ha_xdp"), Some(3), Some(false));
        assert!(older.seen.contains("another agent"), "{}", older.seen);
        let several = judge(Some("xdp_dispatcher"), Some(3), Some(false));
        assert_eq!(several.mend, "xdp-loader unload eth0 --all");
        let cilium = judge(Some("cil_xdp_entry"), None, Some(false));
        assert!(cilium.seen.contains("Cilium"), "{}", cilium.seen);
    }
}
