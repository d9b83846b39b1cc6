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
    /// Output directories of build scripts, each with the id of its package.
    outputs: Vec<(String, PathBuf)>,
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

    /// Where the build script of `package` wrote its results.
    ///
    /// # Errors
    /// If the package has no build script.
    pub(crate) fn output_of(&self, package: &str) -> Result<PathBuf> {
        let in_path = format!("/{package}#");
        let by_name = format!("#{package}@");
        self.outputs
            .iter()
            .find(|(id, _)| id.contains(&in_path) || id.contains(&by_name))
            .map(|(_, dir)| dir.clone())
            .with_context(|| format!("{package} has no build script"))
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
            self.outputs
                .push((script.package_id.repr, script.out_dir.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_scripts_are_told_apart_by_their_package() {
        let artifacts = Artifacts {
            executables: vec![PathBuf::from("/t/debug/ha-agent")],
            outputs: vec![
                (
                    "path+file:///p/ha-agent-tools#0.1.0".to_owned(),
                    "/t/1".into(),
                ),
                ("path+file:///p/ha-agent#0.1.0".to_owned(), "/t/2".into()),
                ("registry+https://r#libc@0.2.1".to_owned(), "/t/3".into()),
            ],
        };
        assert_eq!(
            artifacts.output_of("ha-agent").unwrap(),
            PathBuf::from("/t/2")
        );
        assert_eq!(artifacts.output_of("libc").unwrap(), PathBuf::from("/t/3"));
        assert!(artifacts.output_of("agent").is_err());
        assert!(artifacts.executable("ha-agent").is_ok());
        assert!(artifacts.executable("agent").is_err());
    }
}
