//! What a program uses of processor and memory (proc(5)).

use std::{fs, time::Duration};

use anyhow::{Result, ensure};

use crate::daemon::Daemon;

/// Ticks of the clock of `/proc/PID/stat` in a second (`sysconf(_SC_CLK_TCK)`, the same everywhere).
const TICKS: f64 = 100.0;

/// What a program has used, with its children.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    ticks: u64,
    resident_kib: u64,
}

impl Usage {
    /// Of all processes of the group that the daemon leads.
    pub(super) fn of(daemon: &Daemon) -> Result<Self> {
        let leader = daemon.id();
        let mut sum = Self::default();
        for entry in fs::read_dir("/proc")? {
            let dir = entry?.path();
            let Ok(stat) = fs::read_to_string(dir.join("stat")) else {
                continue;
            };
            let fields: Vec<&str> = match stat.rsplit_once(") ") {
                Some((_, fields)) => fields.split_ascii_whitespace().collect(),
                None => continue,
            };
            // Counted from the state, which is the third field of all.
            let number = |field: usize| {
                fields
                    .get(field - 3)
                    .and_then(|text| text.parse::<u64>().ok())
            };
            if number(5) != Some(u64::from(leader)) {
                continue;
            }
            sum.ticks += number(14).unwrap_or(0) + number(15).unwrap_or(0);
            let status = fs::read_to_string(dir.join("status")).unwrap_or_default();
            let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let kib =
                resident.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            sum.resident_kib += kib.unwrap_or(0);
        }
        ensure!(sum.resident_kib > 0, "the process group {leader} is gone");
        Ok(sum)
    }

    /// Share of one processor, percent, in the time since `before` was taken.
    pub(super) fn cpu_percent_since(self, before: Self, time: Duration) -> f64 {
        (self.ticks - before.ticks) as f64 / TICKS / time.as_secs_f64() * 100.0
    }

    pub(super) fn memory_mib(self) -> f64 {
        self.resident_kib as f64 / 1024.0
    }
}

/// Of each.
pub(super) fn usages(daemons: &[&mut Daemon]) -> Result<Vec<Usage>> {
    daemons.iter().map(|daemon| Usage::of(daemon)).collect()
}
