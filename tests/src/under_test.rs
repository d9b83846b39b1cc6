//! Which agent the tests try.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Names the agent's program.
pub const VARIABLE: &str = "HA_AGENT_BIN";
const HOW_TO: &str =
    "run the tests with `cargo xtask test`, or build the agent with `cargo xtask build --release`";

/// An agent that differs from the ordinary one, to be changed to and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// It has other programs for the kernel, and the same maps: it answers echo requests with another TTL.
    Program,
    /// It has other maps.
    Schema,
}

impl Variant {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Program, Self::Schema];

    const fn name(self) -> &'static str {
        match self {
            Self::Program => "ha-agent-variant-program",
            Self::Schema => "ha-agent-variant-schema",
        }
    }
}

/// Where the variant of an agent is, which is built together with it.
#[must_use]
pub fn variant(agent: &Path, which: Variant) -> PathBuf {
    agent.with_file_name(which.name())
}

/// The program that is named in the environment, or the one that was built last into the directory from which
/// this test runs.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn agent() -> PathBuf {
    if let Some(program) = env::var_os(VARIABLE) {
        let program = PathBuf::from(program);
        let shown = program.display();
        assert!(
            program.exists(),
            "{VARIABLE} is {shown}, which does not exist; {HOW_TO}"
        );
        return program;
    }
    let this = env::current_exe().expect("a test knows where it is");
    // target/<profile>/deps/<test>
    let target = this
        .ancestors()
        .nth(3)
        .expect("tests are built into a target directory");
    let built = ["release", "debug"]
        .map(|profile| target.join(profile).join("ha-agent"))
        .into_iter()
        .find(|program| Path::exists(program));
    built.unwrap_or_else(|| panic!("there is no agent in {}; {HOW_TO}", target.display()))
}
