//! The program on the way out of the loopback interface, and what it needs: that the answers are let in.
//!
//! `accept_local` of an interface is set where it is off, and that it was off is remembered by a pin, which is there
//! before the setting is changed and goes after it has been put back. So what was found is found again,
//! wherever an agent was killed in between.

use std::fs;

use anyhow::{Context, Result, anyhow};
use aya::{Ebpf, programs::SchedClassifier};
use ha_common::abi::program;

use super::{
    PinDir,
    egress::{self, Hook, Place},
};
use crate::net::{accept_local, interface_name};

/// Every network namespace's loopback interface has this name.
const LOOPBACK: &str = "lo";

fn place(pins: &PinDir) -> Place<'static> {
    Place {
        program: program::LOCAL,
        pin: pins.local_link(),
        name: LOOPBACK,
    }
}

/// Attaches the program, in place of an older one of ours at once.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn attach(ebpf: &mut Ebpf, pins: &PinDir) -> Result<()> {
    egress::put(ebpf, &place(pins))
}

/// The same by this hook.
///
/// # Errors
/// If the kernel refuses.
pub fn attach_by(hook: Hook, ebpf: &mut Ebpf, pins: &PinDir) -> Result<()> {
    egress::put_by(hook, ebpf, &place(pins))
}

/// Has the interface `index` let in packets whose source is local here, for which the program must have been
/// attached. Returns whether it did not before.
///
/// # Errors
/// If its settings cannot be changed.
pub(super) fn accept(ebpf: &mut Ebpf, pins: &PinDir, name: &str, index: u32) -> Result<bool> {
    if accept_local::is_on(name) {
        return Ok(false);
    }
    let pin = pins.accept_local(index);
    if !pin.exists() {
        let program: &mut SchedClassifier = ebpf
            .program_mut(program::LOCAL)
            .ok_or_else(|| anyhow!("the BPF object has no program {}", program::LOCAL))?
            .try_into()?;
        program
            .pin(&pin)
            .with_context(|| format!("cannot pin the program as {}", pin.display()))?;
    }
    accept_local::set(name, true)
        .with_context(|| format!("cannot set net.ipv4.conf.{name}.accept_local"))?;
    Ok(true)
}

/// Takes the program off, and puts back what was set for it.
///
/// # Errors
/// If something cannot be removed.
pub fn remove(pins: &PinDir) -> Result<()> {
    egress::take(&place(pins))?;
    let indices = pins.accepting();
    for index in indices.with_context(|| format!("cannot read {}", pins.path().display()))? {
        give_back(pins, index)?;
    }
    Ok(())
}

/// Puts back what was set for the interface `index`, if something was.
///
/// # Errors
/// If it cannot be.
pub(super) fn give_back(pins: &PinDir, index: u32) -> Result<()> {
    if !pins.accept_local(index).exists() {
        return Ok(());
    }
    // With an interface its settings went.
    if let Some(name) = interface_name(index) {
        accept_local::set(&name, false)
            .with_context(|| format!("cannot set net.ipv4.conf.{name}.accept_local back"))?;
    }
    let pin = pins.accept_local(index);
    fs::remove_file(&pin).with_context(|| format!("cannot remove {}", pin.display()))?;
    Ok(())
}
