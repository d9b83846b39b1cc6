//! Where things are in the project.

use std::{path::Path, process::Command};

/// The top of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the project")
}

/// Cargo at the top of the project. The toolchain is the one that runs this program: rustup hands it
/// down in the environment.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    command
}
