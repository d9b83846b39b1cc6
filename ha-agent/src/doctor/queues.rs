//! Whether there are queues to send from.

use std::thread;

use anyhow::{Context, Result};
use aya::util::KernelVersion;

use super::{
    Host,
    check::{Check, Shown},
    finding::Verdict,
    host::driver,
};
use crate::{config::Mode, net::Channels};

/// First kernel whose ixgbe shares queues among processors.
const IXGBE_SHARES: KernelVersion = KernelVersion::new(5, 16, 0);
/// The queues that ixgbe has for XDP (`MAX_XDP_QUEUES`).
const IXGBE_QUEUES: u32 = 64;

/// The queues of an interface.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    name: String,
    driver: String,
    kernel: KernelVersion,
    processors: u32,
    channels: Option<Channels>,
    /// Whether the kernel says that it runs no programs as it is set up now.
    cannot: bool,
}

#[derive(Debug)]
pub(super) struct Queues;

impl Check for Queues {
    const NAME: &'static str = "queues";
    const ABOUT: &'static str = "Whether the interface has queues to send from what the data path answers and sends \
         on: ENA wants half of them free, virtio and i40e one for each processor, bnxt combined ones, ixgbe (before 5.16) no \
         more than 64 processors, a veth as many as its other end sends from. With the exact `ethtool -L`.";
    const SHOWN: Shown = Shown::Lab;
    type Facts = Facts;

    async fn look(host: &Host) -> Result<Vec<(String, Facts)>> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let mut seen = Vec::new();
        for served in host.served().filter(|served| served.mode == Mode::Native) {
            let device = served.device;
            let name = &device.name;
            let channels = host.ethtool.channels(name).await;
            let features = host.xdp_features(device).await?;
            let facts = Facts {
                name: name.clone(),
                driver: match device.kind.as_str() {
                    "" => driver(device).unwrap_or_default(),
                    kind => kind.to_owned(),
                },
                kernel: host.kernel,
                processors: u32::try_from(processors)?,
                channels: channels
                    .with_context(|| format!("cannot ask for the queues of {name}"))?,
                cannot: features.is_some_and(|can| !can.basic),
            };
            seen.push((name.clone(), facts));
        }
        Ok(seen)
    }

    fn judge(facts: &Facts) -> Vec<Verdict> {
        let Some(channels) = facts.channels else {
            return vec![Verdict::ok(
                "the driver does not tell, as one without several queues",
            )];
        };
        vec![judge(facts, channels)]
    }
}

fn judge(facts: &Facts, channels: Channels) -> Verdict {
    let Facts {
        name, processors, ..
    } = facts;
    let Channels { rx, tx, combined } = channels;
    let refused = "The driver refuses the program: the agent does not start.";
    match facts.driver.as_str() {
        "veth" if facts.cannot => Verdict::failure(
            format!(
                "receives on {} queues, and the other end sends from more",
                rx.now.max(1)
            ),
            "The kernel attaches no program: the agent does not start.",
            // The least that can be enough.
            format!("ethtool -L {name} rx {}", rx.most.max(rx.now + 1)),
        ),
        "ena" if combined.now > combined.most / 2 => Verdict::failure(
            format!("has {} of {} queues in use", combined.now, combined.most),
            refused,
            format!("ethtool -L {name} combined {}", (combined.most / 2).max(1)),
        ),
        "bnxt_en" if rx.now > 0 || tx.now > 0 => Verdict::failure(
            format!(
                "has {} queues that only receive and {} that only send",
                rx.now, tx.now
            ),
            refused,
            format!(
                "ethtool -L {name} rx 0 tx 0 combined {}",
                combined.most.min(*processors)
            ),
        ),
        "ixgbe" if *processors > IXGBE_QUEUES && facts.kernel < IXGBE_SHARES => Verdict::failure(
            format!(
                "has {IXGBE_QUEUES} queues for programs, and there are {processors} processors"
            ),
            refused,
            "run Linux 5.16 or newer, or boot with `nr_cpus=64`",
        ),
        "i40e" if combined.now < *processors => Verdict::warning(
            format!("has {} queues for {processors} processors", combined.now),
            "It does not send what a processor without a queue of its own sends on to it from another interface.",
            format!("ethtool -L {name} combined {processors}"),
        ),
        "virtio_net" if combined.most < combined.now + processors => Verdict::warning(
            format!(
                "uses {} of {} queue pairs, which leaves too few for {processors} processors",
                combined.now, combined.most
            ),
            "The data path sends under a lock: slower, and an old kernel (before 5.13) refuses the program.",
            match combined.most.checked_sub(*processors) {
                Some(free @ 1..) => format!("ethtool -L {name} combined {free}"),
                Some(0) | None => format!(
                    "give the virtual machine more queues: `queues={0}`, `mq=on`, `vectors={1}` in qemu",
                    2 * processors,
                    4 * processors + 2
                ),
            },
        ),
        _ => Verdict::ok(match (combined.now, rx.now, tx.now) {
            (0, rx, tx) => format!("{rx} to receive, {tx} to send"),
            (combined, ..) => format!("{combined} combined"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};
    use crate::net::Count;

    const fn count(now: u32, most: u32) -> Count {
        Count { now, most }
    }

    fn judge(driver: &str, processors: u32, combined: Count) -> Verdict {
        let channels = Channels {
            combined,
            ..Channels::default()
        };
        judge_all(driver, processors, channels, false)
    }

    fn judge_all(driver: &str, processors: u32, channels: Channels, cannot: bool) -> Verdict {
        let facts = Facts {
            name: "eth0".to_owned(),
            driver: driver.to_owned(),
            kernel: KernelVersion::new(5, 10, 0),
            processors,
            channels: Some(channels),
            cannot,
        };
        Queues::judge(&facts).remove(0)
    }

    #[test]
    fn each_driver_has_its_own_need_and_its_own_line() {
        let verdict = judge("ena", 8, count(8, 8));
        assert_eq!(verdict.level, Level::Failure);
        assert_eq!(verdict.mend, "ethtool -L eth0 combined 4");
        assert_eq!(judge("ena", 8, count(4, 8)).level, Level::Ok);

        let verdict = judge("virtio_net", 4, count(8, 8));
        assert_eq!(verdict.level, Level::Warning);
        assert_eq!(verdict.mend, "ethtool -L eth0 combined 4");
        assert_eq!(judge("virtio_net", 4, count(4, 8)).level, Level::Ok);
        let verdict = judge("virtio_net", 4, count(1, 1));
        assert!(verdict.mend.contains("queues=8"), "{}", verdict.mend);

        let verdict = judge("i40e", 6, count(4, 64));
        assert_eq!(verdict.mend, "ethtool -L eth0 combined 6");
        assert_eq!(judge("i40e", 6, count(6, 64)).level, Level::Ok);

        assert_eq!(judge("ixgbe", 65, count(63, 63)).level, Level::Failure);
        assert_eq!(judge("ixgbe", 64, count(63, 63)).level, Level::Ok);

        let apart = Channels {
            rx: count(2, 8),
            tx: count(2, 8),
            combined: count(0, 8),
        };
        let verdict = judge_all("bnxt_en", 4, apart, false);
        assert_eq!(verdict.mend, "ethtool -L eth0 rx 0 tx 0 combined 4");
        assert_eq!(judge_all("ice", 4, apart, false).level, Level::Ok);
    }

    #[test]
    fn a_veth_needs_as_many_as_its_other_end_sends_from() {
        let channels = Channels {
            rx: count(1, 4),
            tx: count(1, 4),
            ..Channels::default()
        };
        let verdict = judge_all("veth", 4, channels, true);
        assert_eq!(verdict.level, Level::Failure);
        assert_eq!(verdict.mend, "ethtool -L eth0 rx 4");
        assert_eq!(judge_all("veth", 4, channels, false).level, Level::Ok);
    }
}
