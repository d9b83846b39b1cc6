//! Statistics that the benchmarks share, and the benchmark of the data path.
//!
//! On a machine whose processors are shared, single times mean little. So a benchmark takes several
//! samples, states their median and spread, and compares medians taken in turn in the same run.

pub mod deliver;
pub mod groups;
pub mod liveness;
mod load;
mod look_on;
pub mod packet;
mod usage;

use std::time::Duration;

pub use self::look_on::{Seen, look_on};

/// A lease that outlasts a benchmark.
const LEASE: Duration = Duration::from_secs(3600);

/// Several times of the same thing, in any one unit.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Takes the samples, in any order.
    ///
    /// # Panics
    ///
    /// When there are none.
    #[must_use]
    pub fn new(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "a statistic needs samples");
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// The value that half of the samples are below.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// How far apart the middle half of the samples is, relative to the median: 0.1 is 10 %.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / self.median()
    }

    /// How many times as large as that of `base` the median is.
    #[must_use]
    pub fn ratio(&self, base: &Self) -> f64 {
        self.median() / base.median()
    }

    /// Interpolates between the two nearest samples.
    fn quantile(&self, share: f64) -> f64 {
        let position = share * (self.0.len() - 1) as f64;
        let below = self.0[position.floor() as usize];
        let above = self.0[position.ceil() as usize];
        below + (above - below) * position.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::Samples;

    #[test]
    fn median_and_spread_do_not_depend_on_the_order() {
        let samples = Samples::new(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(samples.median(), 3.0);
        assert_eq!(samples.spread(), (4.0 - 2.0) / 3.0);
    }

    #[test]
    fn an_even_number_of_samples_has_its_median_in_between() {
        assert_eq!(Samples::new(vec![1.0, 2.0, 4.0, 100.0]).median(), 3.0);
    }

    #[test]
    fn one_sample_has_no_spread() {
        assert_eq!(Samples::new(vec![7.0]).spread(), 0.0);
    }

    #[test]
    fn a_ratio_compares_medians() {
        let base = Samples::new(vec![2.0, 2.0, 200.0]);
        assert_eq!(Samples::new(vec![3.0]).ratio(&base), 1.5);
    }
}
