//! How a group of virtual IPs moves: the time, and the system calls.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    bench::{program, trace},
    command,
    privilege::Privilege,
};

/// Measures, then looks with strace at what the kernel is asked to do for a flip.
pub(crate) fn run(privilege: Privilege) -> Result<()> {
    let program = program("flip")?;
    command::run(&mut privilege.command(&program))?;
    let log = LogFile::new();
    command::run(
        privilege
            .command("strace")
            .args(["--follow-forks", "--quiet=all", "--output"])
            .arg(&log.0)
            .arg(&program)
            .arg("--once"),
    )?;
    let text =
        fs::read_to_string(&log.0).with_context(|| format!("cannot read {}", log.0.display()))?;
    judge(&trace::flips(&text)?)
}

/// Says which system calls there were, and fails unless they are the same for every group.
fn judge(flips: &[trace::Flip]) -> Result<()> {
    for flip in flips {
        println!(
            "system calls while a group of {} virtual IPs moves: {}, of which bpf(2): {}",
            flip.vips,
            flip.calls.len(),
            flip.calls_of("bpf")
        );
        for call in &flip.calls {
            println!("  {call}");
        }
    }
    let [first, others @ ..] = flips else {
        anyhow::bail!("strace saw no flip");
    };
    ensure!(!others.is_empty(), "strace saw only one flip");
    for other in others {
        ensure!(
            other.names() == first.names(),
            "a group of {} virtual IPs moves with other system calls than one of {}",
            other.vips,
            first.vips
        );
    }
    Ok(())
}

/// What strace writes; removed on drop.
struct LogFile(PathBuf);

impl LogFile {
    fn new() -> Self {
        let name = format!("ha-flip-{}.strace", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        // Nothing is lost if it stays.
        let _ = fs::remove_file(Path::new(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flip(vips: u32, calls: &[&str]) -> trace::Flip {
        trace::Flip {
            vips,
            calls: calls.iter().map(|call| (*call).to_owned()).collect(),
        }
    }

    #[test]
    fn the_same_calls_for_every_size_are_wanted() {
        assert!(judge(&[flip(1, &[]), flip(65_536, &[])]).is_ok());
        assert!(judge(&[flip(1, &["bpf(2)"]), flip(65_536, &["bpf(2)"])]).is_ok());
        assert!(judge(&[flip(1, &[]), flip(65_536, &["bpf(2)"])]).is_err());
        assert!(judge(&[flip(1, &[])]).is_err(), "nothing to compare with");
        assert!(judge(&[]).is_err());
    }
}
