//! An attempt to attach a program, for a moment and without a trace.

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};
use ha_common::abi::program;

use super::{OBJECT, load};
use crate::config::Mode;

/// Attaches the data path to the interface `index`, on which there must be no program, and takes it off again.
/// Its maps are empty ones of its own, so it passes everything.
///
/// # Errors
/// If the kernel or the driver refuses.
pub fn attempt(index: u32, mode: Mode) -> Result<()> {
    let mut ebpf = Ebpf::load(OBJECT).context("the kernel does not take the BPF object")?;
    let program: &mut Xdp = load::xdp(&mut ebpf, program::XDP)?;
    program
        .load()
        .context("the kernel does not take the program")?;
    let mode = match mode {
        Mode::Native => XdpMode::Driver,
        Mode::Generic => XdpMode::Skb,
    };
    // Detached when it is dropped.
    let id = program.attach_to_if_index(index, mode)?;
    program.detach(id)?;
    Ok(())
}
