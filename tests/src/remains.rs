//! What a lab leaves in the system, and its removal.
//!
//! Everything that a lab makes carries the lab's name, and the name carries the process id:
//! namespaces `ha-lab-<pid>-<n>-…`, pins in `/sys/fs/bpf/ha-lab-<pid>-<n>`, files in
//! `<temp>/ha-lab-<pid>-<n>`. So what a dead process left can be told from what a living one uses.
//! Programs need no entry here: they die with their lab (see [`crate::sys`]).

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result};

use crate::{command, netns};

const PREFIX: &str = "ha-lab-";
/// The BPF filesystem in which each lab has a directory.
pub(crate) const BPFFS: &str = "/sys/fs/bpf";

/// Labs of this process that are not yet removed.
static LIVE: Mutex<Vec<String>> = Mutex::new(Vec::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The name of a lab, and the duty to remove what carries it.
#[derive(Debug)]
pub(crate) struct Remains {
    name: String,
    keep: AtomicBool,
}

impl Remains {
    /// Takes a new name, after sweeping up what dead processes left.
    pub(crate) fn begin() -> Result<Self> {
        remove_on_signal();
        sweep()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let remains = Self {
            name: format!("{PREFIX}{}-{number}", process::id()),
            keep: AtomicBool::new(false),
        };
        live(|labs| labs.push(remains.name.clone()));
        for dir in [remains.files(), remains.pins()] {
            fs::create_dir_all(&dir).with_context(|| format!("making {}", dir.display()))?;
        }
        Ok(remains)
    }

    /// The name of a namespace of this lab.
    pub(crate) fn namespace(&self, role: &str) -> String {
        format!("{}-{role}", self.name)
    }

    /// Configurations, sockets, logs and captures.
    pub(crate) fn files(&self) -> PathBuf {
        files(&self.name)
    }

    /// Below this each node has its pin directory.
    pub(crate) fn pins(&self) -> PathBuf {
        Path::new(BPFFS).join(&self.name)
    }

    /// Keep the files when the lab goes; returns where they will be.
    pub(crate) fn keep_files(&self) -> PathBuf {
        self.keep.store(true, Ordering::Relaxed);
        kept(&self.name)
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        if self.keep.load(Ordering::Relaxed) || std::thread::panicking() {
            let kept = kept(&self.name);
            if fs::rename(self.files(), &kept).is_ok() {
                eprintln!("Logs and captures of the lab are in {}", kept.display());
            }
        }
        remove(&self.name);
        live(|labs| labs.retain(|lab| *lab != self.name));
    }
}

/// Removes what labs of dead processes left behind.
fn sweep() -> Result<()> {
    let mut labs: Vec<String> = Vec::new();
    for place in [netns::HANDLES.into(), BPFFS.into(), env::temp_dir()] {
        labs.extend(
            entries(&place)
                .into_iter()
                .filter_map(|entry| lab_in(&entry)),
        );
    }
    labs.sort();
    labs.dedup();
    for lab in labs {
        let owner = lab
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&lab);
        }
    }
    Ok(())
}

/// Removes everything that carries this lab's name, going on after errors.
fn remove(lab: &str) {
    for namespace in entries(Path::new(netns::HANDLES)) {
        if lab_in(&namespace).as_deref() == Some(lab) {
            let _ = command::run(Command::new("ip").args(["netns", "del", &namespace]));
        }
    }
    let _ = fs::remove_dir_all(Path::new(BPFFS).join(lab));
    let _ = fs::remove_dir_all(files(lab));
}

/// On SIGINT, SIGTERM and SIGHUP the process ends, but not before its labs are removed.
fn remove_on_signal() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let installed = ctrlc::set_handler(|| {
            live(|labs| labs.iter().for_each(|lab| remove(lab)));
            process::exit(130);
        });
        if let Err(error) = installed {
            eprintln!("An interrupted lab will be swept up by the next one only: {error}");
        }
    });
}

fn live<T>(access: impl FnOnce(&mut Vec<String>) -> T) -> T {
    access(&mut LIVE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// `ha-lab-12-0` of `ha-lab-12-0-switch`; `None` if the entry is not a lab's.
fn lab_in(entry: &str) -> Option<String> {
    let mut parts = entry.strip_prefix(PREFIX)?.split('-');
    let pid: u32 = parts.next()?.parse().ok()?;
    let number: u32 = parts.next()?.parse().ok()?;
    Some(format!("{PREFIX}{pid}-{number}"))
}

fn files(lab: &str) -> PathBuf {
    env::temp_dir().join(lab)
}

fn kept(lab: &str) -> PathBuf {
    env::temp_dir().join(format!("kept-{lab}"))
}

/// The names in a directory; none if it cannot be read, as when there is nothing to sweep.
fn entries(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_labs_are_swept() {
        assert_eq!(lab_in("ha-lab-12-0-switch").as_deref(), Some("ha-lab-12-0"));
        assert_eq!(lab_in("ha-lab-12-0").as_deref(), Some("ha-lab-12-0"));
        assert_eq!(lab_in("ha-lab-switch"), None);
        assert_eq!(lab_in("kept-ha-lab-12-0"), None);
        assert_eq!(lab_in("ha"), None);
    }
}
