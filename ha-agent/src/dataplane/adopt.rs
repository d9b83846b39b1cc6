//! The program behind the data path, where an interface decides too early whom a frame is for.
//!
//! Only veth does; see `ha-ebpf/src/adopt.rs`.

use std::fs;

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    programs::{
        LinkOrder, SchedClassifier, TcAttachType,
        links::{FdLink, PinnedLink},
        tc::{SchedClassifierLink, TcAttachOptions},
    },
};
use ha_common::abi::program;

use super::{PinDir, load};
use crate::net::Link;

/// Attaches the program to `link` if it needs it, in place of an older one of ours at once.
///
/// # Errors
/// If the kernel refuses, as one before 6.6 does.
pub(super) fn attach(ebpf: &mut Ebpf, pins: &PinDir, link: &Link) -> Result<()> {
    if !link.veth {
        return Ok(());
    }
    let program = load::classifier(ebpf, program::ADOPT)?;
    if replace(program, pins, link.index)? {
        return Ok(());
    }
    let id = program
        .attach_with_options(
            &link.name,
            TcAttachType::Ingress,
            TcAttachOptions::TcxOrder(LinkOrder::default()),
        )
        .with_context(|| {
            format!(
                "cannot attach {} to {}, a veth, which needs Linux 6.6",
                program::ADOPT,
                link.name
            )
        })?;
    let attached = FdLink::try_from(program.take_link(id)?)?;
    let pin = pins.adopt_link(link.index);
    attached
        .pin(&pin)
        .with_context(|| format!("cannot pin the link as {}", pin.display()))?;
    Ok(())
}

/// Puts the program into the pinned link; false if there is none, or its interface is gone.
fn replace(program: &mut SchedClassifier, pins: &PinDir, index: u32) -> Result<bool> {
    let pin = pins.adopt_link(index);
    if !pin.exists() {
        return Ok(false);
    }
    let pinned = PinnedLink::from_pin(&pin)
        .with_context(|| format!("cannot open the pinned link {}", pin.display()))?;
    let attached = SchedClassifierLink::try_from(FdLink::from(pinned))
        .with_context(|| format!("{} is not a link of traffic control", pin.display()))?;
    if program.attach_to_link(attached).is_ok() {
        return Ok(true);
    }
    remove(pins, index)?;
    Ok(false)
}

/// Takes the program off the interface `index`, if it is there.
///
/// # Errors
/// If the pin cannot be removed.
pub(super) fn remove(pins: &PinDir, index: u32) -> Result<()> {
    let pin = pins.adopt_link(index);
    if !pin.exists() {
        return Ok(());
    }
    fs::remove_file(&pin).with_context(|| format!("cannot remove the link {}", pin.display()))
}
