//! Runs `cargo build` and learns from it where the results are.

use std::{
    io::BufReader,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::{command::shown, workspace};

/// How far the compiler optimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run: what is installed, demonstrated and measured.
    Release,
}

/// What a build made.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    /// Programs, the examples among them.
    executables: Vec<PathBuf>,
    /// What build scripts set in the environment of the compiler.
    variables: Vec<(String, String)>,
}

impl Artifacts {
    /// The program of this name.
    ///
    /// # Errors
    /// If the build made none.
    pub(crate) fn executable(&self, name: &str) -> Result<PathBuf> {
        self.executables
            .iter()
            .find(|path| path.file_name() == Some(name.as_ref()))
            .cloned()
            .with_context(|| format!("cargo built no program {name}"))
    }

    /// What a build script set this variable to.
    ///
    /// # Errors
    /// If none set it.
    pub(crate) fn variable(&self, name: &str) -> Result<&str> {
        self.variables
            .iter()
            .find(|(set, _)| set == name)
            .map(|(_, value)| &**value)
            .with_context(|| format!("no build script set {name}"))
    }
}

/// Builds what `selection` (`--package NAME` and so on) names. Cargo's messages go to the terminal.
///
/// # Errors
/// If the build fails.
pub(crate) fn build(profile: Profile, selection: &[&str]) -> Result<Artifacts> {
    let mut command = build_command(profile, selection);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(&command)))?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut artifacts = Artifacts::default();
    for message in Message::parse_stream(BufReader::new(output)) {
        artifacts.note(message.context("cargo wrote a message that is not understood")?);
    }
    if !child.wait()?.success() {
        bail!("`{}` failed", shown(&command));
    }
    Ok(artifacts)
}

fn build_command(profile: Profile, selection: &[&str]) -> Command {
    let mut command = workspace::cargo();
    command
        .args(["build", "--message-format", "json-render-diagnostics"])
        .args(selection);
    match profile {
        Profile::Dev => &mut command,
        Profile::Release => command.arg("--release"),
    };
    command
}

impl Artifacts {
    fn note(&mut self, message: Message) {
        // The messages are cargo's, and more kinds may come.
        if let Message::CompilerArtifact(artifact) = message {
            self.executables
                .extend(artifact.executable.map(PathBuf::from));
        } else if let Message::BuildScriptExecuted(script) = message {
            self.variables.extend(script.env);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_variables_are_found_by_their_whole_name() {
        let artifacts = Artifacts {
            executables: vec![PathBuf::from("/t/debug/ha-agent")],
            variables: vec![("HA_OBJECT".to_owned(), "/t/o".to_owned())],
        };
        assert!(artifacts.executable("ha-agent").is_ok());
        assert!(artifacts.executable("agent").is_err());
        assert_eq!(artifacts.variable("HA_OBJECT").unwrap(), "/t/o");
        assert!(artifacts.variable("OBJECT").is_err());
    }
}
