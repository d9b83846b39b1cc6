//! Debian's kernel for clouds, from its package.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::command;

/// The package that depends on the newest one.
const NEWEST: &str = "linux-image-cloud-amd64";
/// Where the package is unpacked.
const ROOT: &str = "root";

/// A kernel and its modules, unpacked.
#[derive(Clone, Debug)]
pub struct Kernel {
    image: PathBuf,
    /// Modules by name, with underscores.
    modules: BTreeMap<String, PathBuf>,
}

impl Kernel {
    /// The kernel in `dir`, fetched by apt and unpacked there if it is not. Nothing is installed.
    ///
    /// # Errors
    ///
    /// When apt does not offer it, or it cannot be unpacked.
    pub fn fetch(dir: &Path) -> Result<Self> {
        if let Ok(kernel) = Self::at(dir) {
            return Ok(kernel);
        }
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let shown = command::run(Command::new("apt-cache").args(["depends", NEWEST]))?;
        let mut depends = shown
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let package = depends
            .find(|package| package.starts_with("linux-image-"))
            .with_context(|| format!("apt knows no kernel behind {NEWEST}: {shown}"))?;
        let mut apt = Command::new("apt-get");
        command::run(apt.args(["download", "--quiet", package]).current_dir(dir))?;
        let archive = entries(dir)?
            .into_iter()
            .find(|path| path.extension().is_some_and(|end| end == "deb"))
            .with_context(|| format!("apt put no {package} into {}", dir.display()))?;
        let beside = dir.join("unpacking");
        command::run(Command::new("dpkg").arg("-x").arg(&archive).arg(&beside))?;
        // An interrupted unpacking must not look whole.
        fs::rename(&beside, dir.join(ROOT))?;
        fs::remove_file(&archive)?;
        Self::at(dir)
    }

    /// The kernel that [`Kernel::fetch`] put into `dir`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn at(dir: &Path) -> Result<Self> {
        let root = dir.join(ROOT);
        let image = entries(&root.join("boot"))
            .unwrap_or_default()
            .into_iter()
            .find(|path| name(path).starts_with("vmlinuz"))
            .with_context(|| {
                format!(
                    "there is no kernel in {}: run this with `cargo xtask test`, which fetches one",
                    dir.display()
                )
            })?;
        let mut modules = BTreeMap::new();
        collect(&root.join("lib/modules"), &mut modules)?;
        Ok(Self { image, modules })
    }

    /// What qemu boots.
    #[must_use]
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// These modules and those that they need, in the order in which they can be loaded.
    ///
    /// # Errors
    ///
    /// When one is missing.
    pub fn modules(&self, names: &[&str]) -> Result<Vec<PathBuf>> {
        let mut order = Vec::new();
        for name in names {
            self.add(name, &mut order)?;
        }
        Ok(order)
    }

    fn add(&self, name: &str, order: &mut Vec<PathBuf>) -> Result<()> {
        let path = self.modules.get(&name.replace('-', "_"));
        let path = path.with_context(|| format!("the kernel has no module {name}"))?;
        if order.contains(path) {
            return Ok(());
        }
        let content = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        for needed in depends(&content)? {
            self.add(&needed, order)?;
        }
        order.push(path.clone());
        Ok(())
    }
}

/// What a module says that it needs: `depends=` among the zero-terminated texts of its `.modinfo`.
fn depends(module: &[u8]) -> Result<Vec<String>> {
    const KEY: &[u8] = b"\0depends=";
    let at = module.windows(KEY.len()).position(|window| window == KEY);
    let at = at.context("a module does not say what it depends on")? + KEY.len();
    let len = module[at..].iter().position(|octet| *octet == 0);
    let list = String::from_utf8_lossy(&module[at..at + len.unwrap_or_default()]).into_owned();
    let names = list.split(',').filter(|name| !name.is_empty());
    Ok(names.map(ToOwned::to_owned).collect())
}

fn collect(dir: &Path, modules: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for path in entries(dir)? {
        if path.is_dir() {
            collect(&path, modules)?;
        } else if path.extension().is_some_and(|end| end == "ko") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            modules.insert(name.replace('-', "_"), path);
        }
    }
    ensure!(dir.exists(), "there are no modules in {}", dir.display());
    Ok(())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

#[cfg(test)]
mod tests {
    use super::depends;

    #[test]
    fn a_module_says_what_it_needs() {
        let module = b"ELF\0license=GPL\0depends=virtio,net_failover\0name=virtio_net\0";
        assert_eq!(depends(module).unwrap(), ["virtio", "net_failover"]);
        assert!(depends(b"\0depends=\0name=x\0").unwrap().is_empty());
        assert!(depends(b"ELF").is_err());
    }
}
