//! `[announce]`.

use std::{num::NonZeroUsize, time::Duration};

use ha_core::announce::Config;

use super::{
    super::{
        error::Report,
        file,
        value::{duration, number},
    },
    optional,
};

/// A tick, unless the rate is so low that not even one virtual IP fits it.
const TICK: Duration = Duration::from_millis(5);

pub(super) fn announce(written: &file::Announce, report: &mut Report<'_>) -> Option<Config> {
    let default = Config::default();
    let rhythm = (default.tick, default.per_tick);
    let rhythm = optional(written.rate.as_ref(), rhythm, |rate| {
        number(report, "announce.rate", rate, 1..=1_000_000).map(ticks)
    });
    let repeats = optional(written.repeats.as_ref(), default.repeats, |repeats| {
        number(report, "announce.repeats", repeats, 0..=100)
    });
    let spacing = optional(written.spacing.as_ref(), default.spacing, |spacing| {
        let bounds = Duration::from_millis(10)..=Duration::from_secs(60);
        duration(report, "announce.spacing", spacing, bounds)
    });
    let refresh = optional(written.refresh.as_ref(), default.refresh, |refresh| {
        if refresh.get_ref() == "off" {
            return Some(None);
        }
        let bounds = Duration::from_secs(1)..=Duration::from_secs(86_400);
        duration(report, "announce.refresh", refresh, bounds).map(Some)
    });
    let (tick, per_tick) = rhythm?;
    Some(Config {
        repeats: repeats?,
        spacing: spacing?,
        refresh: refresh?,
        tick,
        per_tick,
    })
}

/// The tick, and how many virtual IPs it has room for, at a number of them a second.
fn ticks(rate: u32) -> (Duration, NonZeroUsize) {
    let per_second = u128::from(rate);
    let per_tick = per_second * TICK.as_nanos() / Duration::from_secs(1).as_nanos();
    match usize::try_from(per_tick).ok().and_then(NonZeroUsize::new) {
        Some(count) => (TICK, count),
        None => (Duration::from_secs(1) / rate, NonZeroUsize::MIN),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::ticks;

    #[test]
    fn a_rate_is_a_tick_and_its_room() {
        let cases = [
            (1, Duration::from_secs(1), 1),
            (100, Duration::from_millis(10), 1),
            (200, Duration::from_millis(5), 1),
            (10_000, Duration::from_millis(5), 50),
        ];
        for (rate, tick, per_tick) in cases {
            let (found, count) = ticks(rate);
            assert_eq!((found, count.get()), (tick, per_tick), "{rate}");
        }
    }
}
