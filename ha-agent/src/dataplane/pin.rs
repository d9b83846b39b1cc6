//! The pin directory, which one agent has at a time: links, and a directory below it for each schema.
//!
//! A link outlives the schema of the program that it holds, so its pin does not move: to change to another schema
//! is an update of each link.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ha_common::abi::SCHEMA;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    mount::{MsFlags, mount},
    sys::statfs::{BPF_FS_MAGIC, statfs},
};

/// Where systemd and the distributions mount the BPF file system.
pub(crate) const BPFFS: &str = "/sys/fs/bpf";
/// What the pins of links begin with; the interface's index follows.
const LINK: &str = "link-";
/// The same of what [`PinDir::accept_local`] says.
const ACCEPT_LOCAL: &str = "accept-local-";
/// The same of those behind the data path, and of those on the way out.
const ADOPT: &str = "adopt-";
const EGRESS: &str = "egress-";
/// What the pins of maps and programs begin with, in every schema.
const OURS: [&str; 2] = ["ha_", "prog-ha_"];
/// How long a process that has been killed may take to end, and how often it is looked at.
const PATIENCE: Duration = Duration::from_millis(100);
const GLANCE: Duration = Duration::from_millis(1);

/// The directory in which links are pinned, and below it that of one schema, in which maps and programs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinDir {
    base: PathBuf,
    path: PathBuf,
}

/// The right to change what is pinned, until it is dropped.
#[derive(Debug)]
pub struct PinLock {
    _directory: Flock<File>,
}

impl PinDir {
    /// The directory of this agent's schema below `base`.
    #[must_use]
    pub fn new(base: &Path) -> Self {
        Self::of(base, SCHEMA)
    }

    fn of(base: &Path, schema: u32) -> Self {
        Self {
            base: base.to_owned(),
            path: base.join(schema.to_string()),
        }
    }

    /// Those of all other schemas of which something is there, the newest first.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn others(&self) -> io::Result<Vec<Self>> {
        let mut schemas = Vec::new();
        for entry in fs::read_dir(&self.base)? {
            let entry = entry?;
            let name = entry.file_name();
            let schema = name.to_str().and_then(|name| name.parse::<u32>().ok());
            if entry.file_type()?.is_dir() {
                schemas.extend(schema);
            }
        }
        schemas.sort_unstable();
        let all = schemas
            .into_iter()
            .rev()
            .map(|schema| Self::of(&self.base, schema));
        Ok(all.filter(|other| other.path != self.path).collect())
    }

    /// The directory of the schema.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a map is pinned.
    #[must_use]
    pub fn map(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where a program is pinned.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.path.join(format!("prog-{name}"))
    }

    /// Where the link to the interface `index` is pinned.
    #[must_use]
    pub fn link(&self, index: u32) -> PathBuf {
        self.base.join(format!("{LINK}{index}"))
    }

    /// Where the link of the program behind the data path on the interface `index` is pinned.
    #[must_use]
    pub fn adopt_link(&self, index: u32) -> PathBuf {
        self.base.join(format!("{ADOPT}{index}"))
    }

    /// Where the link of the program on the way out of the interface `index` is pinned.
    #[must_use]
    pub fn egress_link(&self, index: u32) -> PathBuf {
        self.base.join(format!("{EGRESS}{index}"))
    }

    /// Where the link of the program on the way out of the loopback interface is pinned.
    #[must_use]
    pub fn local_link(&self) -> PathBuf {
        self.base.join("local")
    }

    /// Where that program is pinned once more, to remember that `accept_local` of the interface `index` was off.
    #[must_use]
    pub fn accept_local(&self, index: u32) -> PathBuf {
        self.base.join(format!("{ACCEPT_LOCAL}{index}"))
    }

    /// Indices of the interfaces whose `accept_local` was off.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn accepting(&self) -> io::Result<Vec<u32>> {
        self.indices(ACCEPT_LOCAL)
    }

    /// Indices of the interfaces whose links are pinned.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn links(&self) -> io::Result<Vec<u32>> {
        self.indices(LINK)
    }

    fn indices(&self, prefix: &str) -> io::Result<Vec<u32>> {
        let mut indices = Vec::new();
        for entry in fs::read_dir(&self.base)? {
            let name = entry?.file_name();
            let index = name.to_str().and_then(|name| name.strip_prefix(prefix));
            indices.extend(index.and_then(|index| index.parse::<u32>().ok()));
        }
        indices.sort_unstable();
        Ok(indices)
    }

    /// Makes the directory, and mounts the BPF file system if it is missing at its usual place.
    ///
    /// # Errors
    /// If the place is not on a BPF file system.
    pub fn create(&self) -> Result<()> {
        if !self.is_on_bpffs() && self.path.starts_with(BPFFS) {
            let nothing = None::<&str>;
            mount(Some("bpf"), BPFFS, Some("bpf"), MsFlags::empty(), nothing).with_context(
                || format!("cannot mount the BPF file system: run `mount -t bpf bpf {BPFFS}`"),
            )?;
        }
        if !self.is_on_bpffs() {
            bail!(
                "{} is not on a BPF file system: mount one there with `mount -t bpf`, \
                 or choose a `node.pin_dir` below {BPFFS}",
                self.path.display()
            );
        }
        fs::create_dir_all(&self.path)
            .with_context(|| format!("cannot make the pin directory {}", self.path.display()))
    }

    /// Takes the directory for this process. One that is just ending, which the kernel relieves of it, is
    /// waited for.
    ///
    /// # Errors
    /// If another one has it, or it is not there.
    pub fn lock(&self) -> Result<PinLock> {
        let name = self.base.display();
        let directory = File::open(&self.base).with_context(|| format!("cannot open {name}"))?;
        let end = Instant::now() + PATIENCE;
        let mut wanted = directory;
        loop {
            match Flock::lock(wanted, FlockArg::LockExclusiveNonblock) {
                Ok(directory) => {
                    return Ok(PinLock {
                        _directory: directory,
                    });
                }
                Err((directory, Errno::EWOULDBLOCK)) if Instant::now() < end => wanted = directory,
                Err((_, Errno::EWOULDBLOCK)) => bail!(
                    "another agent uses {name}: stop it first, or give this one a `node.pin_dir` of \
                     its own"
                ),
                Err((_, error)) => {
                    return Err(error).with_context(|| format!("cannot lock {name}"));
                }
            }
            thread::sleep(GLANCE);
        }
    }

    /// Whether there is a directory to have links and schemas in.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.base.is_dir()
    }

    /// Removes the maps and programs of this schema, then its directory. What no link and no process holds is
    /// freed by the kernel.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn remove_schema(&self) -> Result<()> {
        let named = |path: &Path| format!("cannot remove {}", path.display());
        let mut pins = Vec::new();
        for entry in fs::read_dir(&self.path).with_context(|| named(&self.path))? {
            let entry = entry?;
            let name = entry.file_name();
            let is_ours = |name: &str| OURS.iter().any(|ours| name.starts_with(ours));
            if name.to_str().is_some_and(is_ours) {
                pins.push(entry.path());
            }
        }
        for pin in pins {
            fs::remove_file(&pin).with_context(|| named(&pin))?;
        }
        match fs::remove_dir(&self.path) {
            // A number may be the name of somebody else's directory.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed.with_context(|| named(&self.path)),
        }
    }

    /// Removes every pin of every schema, links first, then the directory if that is empty.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn remove(&self) -> Result<()> {
        for entry in fs::read_dir(&self.base)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_link = |name: &str| [LINK, ADOPT, EGRESS].iter().any(|of| name.starts_with(of));
            if name.to_str().is_some_and(is_link) {
                let pin = entry.path();
                fs::remove_file(&pin)
                    .with_context(|| format!("cannot remove {}", pin.display()))?;
            }
        }
        let mut schemas = self.others()?;
        schemas.extend(self.path.is_dir().then(|| self.clone()));
        schemas.iter().try_for_each(Self::remove_schema)?;
        if self.base != Path::new(BPFFS) {
            // Something of somebody else's may be there.
            let _ = fs::remove_dir(&self.base);
        }
        Ok(())
    }

    /// The directory, or the part of it that is there, is on a BPF file system.
    pub(crate) fn is_on_bpffs(&self) -> bool {
        self.path
            .ancestors()
            .find(|path| path.exists())
            .and_then(|path| statfs(path).ok())
            .is_some_and(|fs| fs.filesystem_type() == BPF_FS_MAGIC)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::PinDir;

    #[test]
    fn pins_have_their_names() {
        let pins = PinDir::new(Path::new("/sys/fs/bpf/ha"));
        assert_eq!(pins.map("ha_vip4"), Path::new("/sys/fs/bpf/ha/2/ha_vip4"));
        assert_eq!(
            pins.program("ha_xdp"),
            Path::new("/sys/fs/bpf/ha/2/prog-ha_xdp")
        );
        assert_eq!(pins.link(7), Path::new("/sys/fs/bpf/ha/link-7"));
    }

    #[test]
    fn an_ordinary_file_system_is_refused() {
        let dir = std::env::temp_dir().join("ha-agent-no-bpffs");
        let error = PinDir::new(&dir).create().unwrap_err().to_string();
        assert!(error.contains("is not on a BPF file system"), "{error}");
        assert!(!dir.exists());
    }
}
