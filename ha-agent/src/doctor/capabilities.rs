//! Whether this process may do what the agent needs.

use anyhow::Result;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};
use crate::privilege;

#[derive(Debug)]
pub(super) struct Capabilities;

impl Check for Capabilities {
    const NAME: &'static str = "capabilities";
    const ABOUT: &'static str = "Whether whoever runs the command has `CAP_NET_ADMIN`, `CAP_NET_RAW`, `CAP_BPF` and \
         `CAP_PERFMON`, as the agent must. Without them some other checks cannot look.";
    const SHOWN: Shown = Shown::Lab;
    /// What is missing, and what it is for.
    type Facts = Vec<(&'static str, &'static str)>;

    async fn look(_: &Host) -> Result<Vec<(String, Self::Facts)>> {
        Ok(vec![(String::new(), privilege::lacking()?)])
    }

    fn judge(lacking: &Self::Facts) -> Vec<Verdict> {
        if lacking.is_empty() {
            return vec![Verdict::ok("all that are needed")];
        }
        let list: Vec<_> = lacking
            .iter()
            .map(|(name, purpose)| format!("{name} ({purpose})"))
            .collect();
        vec![Verdict::failure(
            format!("lacks {}", list.join(", ")),
            "An agent that is started like this refuses to run.",
            "run it as root, or add them to AmbientCapabilities= of the agent's unit",
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn one_is_enough() {
        assert_eq!(Capabilities::judge(&vec![])[0].level, Level::Ok);
        let verdict = &Capabilities::judge(&vec![("CAP_BPF", "maps")])[0];
        assert_eq!(verdict.level, Level::Failure);
        assert_eq!(verdict.seen, "lacks CAP_BPF (maps)");
    }
}
