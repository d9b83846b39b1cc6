//! How the kernel reads the time, which it does for each lease, probe and deadline.

use std::fs;

use anyhow::{Context, Result};

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
};

const PLACE: &str = "/sys/devices/system/clocksource/clocksource0";
/// Sources outside of the processor: a reading takes a microsecond or more, and its register is shared
/// (`drivers/clocksource/acpi_pm.c`, `arch/x86/kernel/hpet.c`).
const SLOW: [&str; 5] = ["hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies"];

/// The clock sources.
#[derive(Debug)]
pub(super) struct Facts {
    current: String,
    available: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Clock;

impl Check for Clock {
    const NAME: &'static str = "clock";
    const ABOUT: &'static str = "The kernel's clock source. One outside of the processor (`hpet`, `acpi_pm`, `pit`, \
         `jiffies`) makes each look at the time slow, or coarser than a lease.";
    const SHOWN: Shown = Shown::Facts;
    type Facts = Facts;

    async fn look(_: &Host) -> Result<Vec<(String, Facts)>> {
        let read = |file: &str| {
            let path = format!("{PLACE}/{file}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
        };
        let available = read("available_clocksource")?;
        let facts = Facts {
            current: read("current_clocksource")?.trim().to_owned(),
            available: available
                .split_whitespace()
                .map(ToOwned::to_owned)
                .collect(),
        };
        Ok(vec![(String::new(), facts)])
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Facts { current, available } = facts;
        if !SLOW.contains(&current.as_str()) {
            return vec![Verdict::ok(current)];
        }
        let better = available
            .iter()
            .find(|source| !SLOW.contains(&source.as_str()));
        let mend = match better {
            Some(better) => format!("echo {better} >{PLACE}/current_clocksource"),
            None => "boot with `clocksource=tsc tsc=reliable` if the processor's counter is sound (`dmesg` \
                     tells why it was refused)"
                .to_owned(),
        };
        vec![Verdict::warning(
            format!("{current} is slow to read"),
            "Probes are measured late and the agent takes more of a processor: choose longer intervals, or a better \
             clock.",
            mend,
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn judge(current: &str, available: &[&str]) -> Verdict {
        let facts = Facts {
            current: current.to_owned(),
            available: available
                .iter()
                .map(|source| (*source).to_owned())
                .collect(),
        };
        Clock::judge(&facts).remove(0)
    }

    #[test]
    fn slow_sources_are_told_from_fast_ones() {
        for current in ["tsc", "kvm-clock", "arch_sys_counter"] {
            assert_eq!(judge(current, &[current, "acpi_pm"]).level, Level::Ok);
        }
        let verdict = judge("acpi_pm", &["acpi_pm", "tsc"]);
        assert_eq!(verdict.level, Level::Warning);
        assert!(verdict.mend.starts_with("echo tsc >"), "{}", verdict.mend);
        let verdict = judge("hpet", &["hpet", "acpi_pm"]);
        assert!(verdict.mend.contains("clocksource=tsc"), "{}", verdict.mend);
    }
}
