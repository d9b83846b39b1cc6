//! Whether the process may do what the agent needs, before the kernel says a bare "not permitted".

use std::fs;

use anyhow::{Context, Result, bail};

/// Capabilities by their numbers (`include/uapi/linux/capability.h`), and what each is for.
const NEEDED: [(u8, &str, &str); 4] = [
    (12, "CAP_NET_ADMIN", "routes, filters and attaching"),
    (13, "CAP_NET_RAW", "advertisements and announcements"),
    (38, "CAP_PERFMON", "the BPF verifier"),
    (39, "CAP_BPF", "BPF programs and maps"),
];
/// It also stands for `CAP_PERFMON` and `CAP_BPF`.
const SYS_ADMIN: u8 = 21;

/// Fails with the capabilities that this process lacks.
///
/// # Errors
/// If there are any.
pub fn check() -> Result<()> {
    let missing = lacking()?;
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = missing
        .iter()
        .map(|(name, purpose)| format!("{name} ({purpose})"))
        .collect();
    bail!("the agent lacks {}: run it as root", list.join(", "))
}

/// The capabilities that this process lacks, and what each is for.
///
/// # Errors
/// If the kernel does not tell.
pub(crate) fn lacking() -> Result<Vec<(&'static str, &'static str)>> {
    let status =
        fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let effective = effective(&status).context("/proc/self/status has no CapEff")?;
    Ok(missing(effective))
}

/// The effective set of a process (proc(5)).
fn effective(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn missing(effective: u64) -> Vec<(&'static str, &'static str)> {
    let has = |number: u8| effective & (1 << number) != 0;
    // Those with higher numbers were once parts of it.
    let implied = |number: u8| number > SYS_ADMIN && has(SYS_ADMIN);
    NEEDED
        .into_iter()
        .filter(|(number, ..)| !has(*number) && !implied(*number))
        .map(|(_, name, purpose)| (name, purpose))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{effective, missing};

    #[test]
    fn the_effective_set_decides() {
        let status = "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000003000\n";
        let names = |set| -> Vec<_> { missing(set).into_iter().map(|(name, _)| name).collect() };
        let set = effective(status).unwrap();
        assert_eq!(names(set), ["CAP_PERFMON", "CAP_BPF"]);
        assert_eq!(names(set | 1 << 21), [""; 0]);
        assert_eq!(names(0).len(), 4);
        assert_eq!(effective("Name:\tx\n"), None);
    }
}
