//! Whether there is a place to pin.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::dataplane::BPFFS;

/// The pin directory.
#[derive(Debug)]
pub(super) struct Facts {
    path: String,
    on_bpffs: bool,
    /// Whether it is where the agent mounts the file system by itself.
    usual: bool,
}

#[derive(Debug)]
pub(super) struct BpfFs;

impl Check for BpfFs {
    const NAME: &'static str = "bpffs";
    const ABOUT: &'static str = "Whether `node.pin_dir` is on a BPF file system. What is pinned there is what serves \
         while the agent is restarted.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let facts = Facts {
            path: host.pins.path().display().to_string(),
            on_bpffs: host.pins.is_on_bpffs(),
            usual: host.pins.path().starts_with(BPFFS),
        };
        Ok(vec![(String::new(), facts)])
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts {
            path,
            on_bpffs,
            usual,
        } = facts;
        let verdict = match (on_bpffs, usual) {
            (true, _) => Verdict::ok(format!("{path} is on one")),
            (false, true) => Verdict::warning(
                format!("none is mounted on {BPFFS}"),
                "The agent mounts it at its start, if it has CAP_SYS_ADMIN. In a mount namespace of its own nobody \
                 else sees what it pins, and a restarted agent may not find it.",
                format!("mount -t bpf bpf {BPFFS}"),
            ),
            (false, false) => Verdict::failure(
                format!("{path} is not on a BPF file system"),
                "The agent does not start: it has no place for its maps and programs.",
                format!("set `node.pin_dir` to a directory below {BPFFS}"),
            ),
        };
        vec![verdict]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn where_it_is_decides() {
        for (on_bpffs, usual, level) in [
            (true, true, Level::Ok),
            (true, false, Level::Ok),
            (false, true, Level::Warning),
            (false, false, Level::Failure),
        ] {
            let path = "/somewhere".to_owned();
            let facts = Facts {
                path,
                on_bpffs,
                usual,
            };
            assert_eq!(BpfFs::judge(&facts)[0].level, level, "{facts:?}");
        }
    }
}
