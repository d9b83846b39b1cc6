//! Programs into the kernel, maps and programs onto the BPF file system.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result, anyhow};
use aya::{
    Ebpf, EbpfLoader,
    programs::{SchedClassifier, Xdp},
};
use ha_common::abi::program;

use super::{
    Attach, OBJECT, PinDir,
    validate::{self, Shape},
};

/// The object with the maps that are pinned, or with new ones that it pins.
///
/// # Errors
/// If a pin is not what it should be, or the kernel refuses.
pub(super) fn maps(pins: &PinDir) -> Result<Ebpf> {
    let shapes = check(pins)?;
    let mut loader = EbpfLoader::new();
    for name in shapes.keys() {
        loader.map_pin_path(name, pins.map(name));
    }
    loader
        .load(OBJECT)
        .context("the kernel does not take the BPF object")
}

/// Loads the programs for these interfaces into the kernel.
///
/// # Errors
/// If the kernel refuses.
pub(super) fn programs(ebpf: &mut Ebpf, pins: &PinDir, attach: &[Attach]) -> Result<()> {
    for name in [program::XDP, program::LEASE] {
        let program = xdp(ebpf, name)?;
        program
            .load()
            .with_context(|| format!("the kernel does not take the program {name}"))?;
        pin(program, pins, name)?;
    }
    if attach.iter().any(|interface| interface.link.veth) {
        classifier(ebpf, program::ADOPT)?;
    }
    if !attach.is_empty() {
        classifier(ebpf, program::EGRESS)?;
    }
    Ok(())
}

/// The program of this name in the object for traffic control, loaded.
///
/// # Errors
/// If it is not there, or the kernel refuses.
pub(super) fn classifier<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier> {
    let program: &mut SchedClassifier = ebpf
        .program_mut(name)
        .ok_or_else(|| anyhow!("the BPF object has no program {name}"))?
        .try_into()?;
    if program.fd().is_err() {
        program
            .load()
            .with_context(|| format!("the kernel does not take the program {name}"))?;
    }
    Ok(program)
}

/// Checks everything that is pinned already; the shapes of the maps.
///
/// # Errors
/// If a pin is not what it should be.
pub(super) fn check(pins: &PinDir) -> Result<BTreeMap<String, Shape>> {
    let shapes = validate::shapes()?;
    validate::check_maps(pins, &shapes)?;
    for name in [program::XDP, program::LEASE] {
        validate::check_program(&pins.program(name), name)?;
    }
    Ok(shapes)
}

/// The XDP program of this name in the object.
pub(super) fn xdp<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp> {
    let program = ebpf
        .program_mut(name)
        .ok_or_else(|| anyhow!("the BPF object has no program {name}"))?;
    program
        .try_into()
        .with_context(|| format!("{name} is not an XDP program"))
}

/// Pins the program in place of the one before it, at once.
fn pin(program: &mut Xdp, pins: &PinDir, name: &str) -> Result<()> {
    let place = pins.program(name);
    let beside = pins.program(&format!("{name}-new"));
    if beside.exists() {
        fs::remove_file(&beside).with_context(|| format!("cannot remove {}", beside.display()))?;
    }
    program
        .pin(&beside)
        .with_context(|| format!("cannot pin the program as {}", beside.display()))?;
    fs::rename(&beside, &place).with_context(|| format!("cannot rename to {}", place.display()))
}
