//! What delivery costs: to the local stack, to guests, and on to a peer, each beside what the kernel does by itself.
//!
//! A program that runs with live frames sends them out of one end of a veth; on the other end is the NIC of a node. All of
//! it happens on one processor, so the time for a frame is what sending, receiving and delivering cost together.
//! The same with a program that drops every frame on arrival is the floor, which is taken off. Each way has a
//! place of its own, made the same way with and without the data path, and they take turns.

mod place;
mod report;

use std::{thread::sleep, time::Duration, time::Instant};

use anyhow::{Context, Result, ensure};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::{Pid, Uid},
};

use self::place::{Place, Way};
pub use self::report::{Cost, Report, Side};
use super::{
    Samples,
    packet::{kernel::Program, refill},
};
use crate::remains::Remains;

/// Samples of each place, taken in turn.
const SAMPLES: usize = 31;
/// Frames in a sample: few enough that a tap can hold them all, whose reader has another processor.
const FRAMES: u32 = 20_000;
/// Frames before the first sample: neighbours are known then, and caches warm.
const WARM_UP: u32 = 5_000;
/// When nothing more has arrived for so long after the last frame was sent, nothing more will.
const SETTLING: Duration = Duration::from_millis(10);
/// `XDP_TX`.
const SEND_BACK: i32 = 3;

/// Times and arrivals of one place.
#[derive(Debug, Default)]
struct Measured {
    /// Nanoseconds for each frame.
    times: Vec<f64>,
    /// Frames arrived in a second.
    rates: Vec<f64>,
    sent: u64,
    arrived: u64,
}

/// Measures all ways with the data path in `object` and without it.
///
/// # Errors
///
/// Without root, and when something cannot be made or no frame arrives.
pub fn run(object: &[u8]) -> Result<Report> {
    ensure!(
        Uid::effective().is_root(),
        "measuring delivery takes root: run this with sudo"
    );
    let remains = Remains::begin()?;
    let mut places = vec![Place::floor(&remains)?];
    for way in Way::ALL {
        for is_ours in [true, false] {
            let object = is_ours.then_some(object);
            let place = Place::new(&remains, way, object);
            places.push(place.with_context(|| format!("the place for {}", way.name()))?);
        }
    }
    // What has been delivered comes to be sent again, and has other addresses then.
    let generators = places
        .iter()
        .map(|place| Program::load(&refill::anew(place.frame(), SEND_BACK)?))
        .collect::<Result<Vec<_>>>()?;
    for (place, generator) in places.iter().zip(&generators) {
        send(generator, place, WARM_UP)?;
    }
    for place in &places {
        settled(place)?;
    }
    let mut measured: Vec<_> = places.iter().map(|_| Measured::default()).collect();
    for _ in 0..SAMPLES {
        for ((place, generator), measured) in places.iter().zip(&generators).zip(&mut measured) {
            sample(generator, place, measured)?;
        }
    }
    let mut measured = measured.into_iter();
    let floor = Samples::new(measured.next().unwrap_or_default().times);
    let mut costs = Vec::new();
    for way in Way::ALL {
        let mut side = || Side::of(measured.next().unwrap_or_default(), &floor);
        let (ours, kernel) = (side(), side());
        ensure!(
            ours.arrived > 0.0 && kernel.arrived > 0.0,
            "nothing arrived by way of {}: {ours:?}, {kernel:?}",
            way.name()
        );
        costs.push(Cost {
            way: way.name(),
            beside: way.beside(),
            ours,
            kernel,
        });
    }
    Ok(Report::new(&floor, FRAMES * SAMPLES as u32, costs))
}

fn sample(generator: &Program, place: &Place, measured: &mut Measured) -> Result<()> {
    let before = place.arrived()?;
    let took = send(generator, place, FRAMES)?;
    let arrived = settled(place)? - before;
    measured
        .times
        .push(took.as_nanos() as f64 / f64::from(FRAMES));
    measured.rates.push(arrived as f64 / took.as_secs_f64());
    measured.sent += u64::from(FRAMES);
    measured.arrived += arrived;
    Ok(())
}

/// How many frames have arrived when no more do.
fn settled(place: &Place) -> Result<u64> {
    let mut arrived = place.arrived()?;
    loop {
        sleep(SETTLING);
        let now = place.arrived()?;
        if now == arrived {
            return Ok(now);
        }
        arrived = now;
    }
}

/// Sends so many frames, all on the first processor.
fn send(generator: &Program, place: &Place, count: u32) -> Result<Duration> {
    place.sender().run(|| {
        let mut first = CpuSet::new();
        first.set(0)?;
        sched_setaffinity(Pid::from_raw(0), &first)?;
        let begun = Instant::now();
        generator.inject(place.frame(), place.ifindex(), count)?;
        Ok(begun.elapsed())
    })
}
