//! Virtual machines in qemu: Debian's kernel, an initial file system of our own, and a console to run commands in.
//!
//! * [`Kernel`]: from Debian's package, unpacked and not installed;
//! * [`Image`]: busybox, kernel modules, and programs with the libraries that they need;
//! * [`Machine`]: booted under tcg, so that it needs no help of the processor.

mod console;
mod cpio;
mod image;
mod kernel;
mod machine;

pub use self::{
    image::Image,
    kernel::Kernel,
    machine::{Machine, Nic, Setup},
};

use std::{
    env,
    path::{Path, PathBuf},
};

/// Names the directory in which the kernel is.
pub const VARIABLE: &str = "HA_VM_DIR";

/// The directory in which `cargo xtask test` puts the kernel: the one that is named in the environment, or the one
/// in the directory into which this test was built.
///
/// # Panics
///
/// When a test does not know where it is.
#[must_use]
pub fn dir() -> PathBuf {
    if let Some(dir) = env::var_os(VARIABLE) {
        return dir.into();
    }
    let this = env::current_exe().expect("a test knows where it is");
    // target/<profile>/deps/<test>
    let target = this.ancestors().nth(3);
    target.map(|target| target.join("vm")).unwrap_or_default()
}

/// The example of this name, built in release beside the test.
///
/// # Panics
///
/// When it has not been built.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let this = env::current_exe().expect("a test knows where it is");
    let target = this.ancestors().nth(3).unwrap_or(Path::new("target"));
    let built = target.join("release/examples").join(name);
    assert!(
        built.exists(),
        "there is no {}: run the tests with `cargo xtask test`, or build it with \
         `cargo build --release --package ha-lab --example {name}`",
        built.display()
    );
    built
}
