//! The first file system of a machine: busybox, modules, programs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{Kernel, console, cpio::Archive};
use crate::command;

/// Where Debian's `busybox-static` is.
const BUSYBOX: &str = "/bin/busybox";

/// What a machine starts with.
#[derive(Debug)]
pub struct Image {
    archive: Archive,
    /// Modules in the order in which they are loaded.
    modules: Vec<String>,
}

impl Image {
    /// Busybox, and these modules of a kernel with those that they need.
    ///
    /// # Errors
    ///
    /// When something of it is missing.
    pub fn new(kernel: &Kernel, modules: &[&str]) -> Result<Self> {
        let mut image = Self {
            archive: Archive::default(),
            modules: Vec::new(),
        };
        for dir in ["proc", "sys", "dev", "tmp", "run", "root"] {
            image.archive.add_dir(dir);
        }
        image.add(Path::new(BUSYBOX), "bin/busybox")?;
        for module in kernel.modules(modules)? {
            let name = module.file_name().unwrap_or_default().to_string_lossy();
            let place = format!("modules/{name}");
            image.add(&module, &place)?;
            image.modules.push(place);
        }
        Ok(image)
    }

    /// Adds a program of this machine as `/bin/<its name>`, with the libraries that it needs.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn add_program(&mut self, program: &Path) -> Result<()> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        self.add(program, &format!("bin/{name}"))?;
        for library in libraries(program)? {
            let place = library.display().to_string();
            self.add(&library, &place)?;
        }
        Ok(())
    }

    /// Adds a file with this content.
    pub fn add_file(&mut self, path: &str, content: &[u8]) {
        self.archive.add_file(path, content);
    }

    /// The archive for qemu.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let init = console::init(&self.modules);
        self.archive.add_file("init", init.as_bytes());
        self.archive.finish()
    }

    fn add(&mut self, from: &Path, to: &str) -> Result<()> {
        let content = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
        self.archive.add_file(to, &content);
        Ok(())
    }
}

/// What the dynamic linker would load; nothing for a static program.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let Ok(shown) = command::run(Command::new("ldd").arg(program)) else {
        return Ok(Vec::new());
    };
    Ok(paths(&shown))
}

/// The paths in the output of ldd: `libc.so.6 => /lib/libc.so.6 (0x…)`, and the linker's own alone.
fn paths(shown: &str) -> Vec<PathBuf> {
    let words = shown.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.find(|word| word.starts_with('/'))
    });
    words.map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn the_libraries_are_those_with_a_path() {
        let shown = "\tlinux-vdso.so.1 (0x00007ffc)\n\
                     \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f8c)\n\
                     \t/lib64/ld-linux-x86-64.so.2 (0x00007f8d)\n";
        let expected = [
            "/lib/x86_64-linux-gnu/libc.so.6",
            "/lib64/ld-linux-x86-64.so.2",
        ];
        assert_eq!(paths(shown), expected.map(std::path::PathBuf::from));
    }
}
