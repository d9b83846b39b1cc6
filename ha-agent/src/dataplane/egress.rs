//! Programs on the way out of interfaces: `ha_egress` on every one of the configuration, and [`local`](super::local).
//!
//! Since Linux 6.6 it has a link, which is pinned. Before, it is a filter of the interface's `clsact`
//! queueing discipline, which needs no pin to stay. Either way it runs before the programs and filters of
//! others, whose verdicts would end the frame's way to it.

use std::{
    fs, io,
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use aya::{
    Ebpf,
    programs::{
        LinkOrder, ProgramError, SchedClassifier, TcAttachType,
        links::{FdLink, PinnedLink},
        tc::{self, NlOptions, SchedClassifierLink, TcAttachOptions, TcError, TcHandle},
    },
    util::KernelVersion,
};
use ha_common::abi::program;

use super::{PinDir, attach::pinned_link, load};
use crate::net::interface_name;

/// Before all other filters.
const PRIORITY: u16 = 1;
/// What the filter is known by among those of its priority, if there are others: "ha".
const HANDLE: TcHandle = TcHandle::new(0x6861, 1);

/// How a program is attached to traffic control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// By a link (tcx).
    Link,
    /// As a filter of `clsact`.
    Filter,
}

impl Hook {
    /// The better one that this kernel has.
    fn best() -> Self {
        if KernelVersion::current().is_ok_and(|kernel| kernel >= KernelVersion::new(6, 6, 0)) {
            Self::Link
        } else {
            Self::Filter
        }
    }
}

/// Attaches the program to an interface, in place of an older one of ours at once.
///
/// # Errors
/// If something else is in its place, or the kernel refuses.
pub(super) fn attach(ebpf: &mut Ebpf, pins: &PinDir, name: &str, index: u32) -> Result<()> {
    attach_by(Hook::best(), ebpf, pins, name, index)
}

/// A program and its place.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// Name of the program.
    pub(super) program: &'static str,
    /// Where its link is pinned.
    pub(super) pin: PathBuf,
    /// The interface.
    pub(super) name: &'a str,
}

impl<'a> Place<'a> {
    fn on(pins: &PinDir, name: &'a str, index: u32) -> Self {
        Self {
            program: program::EGRESS,
            pin: pins.egress_link(index),
            name,
        }
    }
}

/// Attaches the program to its place by the better hook.
///
/// # Errors
/// As [`attach_by`].
pub(super) fn put(ebpf: &mut Ebpf, place: &Place<'_>) -> Result<()> {
    put_by(Hook::best(), ebpf, place)
}

/// The same by this hook.
///
/// # Errors
/// As for the better hook: if something else is in its place, or the kernel refuses.
pub fn attach_by(hook: Hook, ebpf: &mut Ebpf, pins: &PinDir, name: &str, index: u32) -> Result<()> {
    put_by(hook, ebpf, &Place::on(pins, name, index))
}

/// The same by this hook.
///
/// # Errors
/// As [`attach_by`].
pub(super) fn put_by(hook: Hook, ebpf: &mut Ebpf, place: &Place<'_>) -> Result<()> {
    let program = load::classifier(ebpf, place.program)?;
    match hook {
        Hook::Link => link(program, place),
        Hook::Filter => filter(program, place),
    }
}

fn link(program: &mut SchedClassifier, place: &Place<'_>) -> Result<()> {
    let Place { pin, name, .. } = place;
    if !replace(program, place)? {
        let options = TcAttachOptions::TcxOrder(LinkOrder::first());
        let id = program
            .attach_with_options(name, TcAttachType::Egress, options)
            .with_context(|| {
                format!(
                    "cannot attach {} to the egress hook of {name}: `bpftool net show dev {name}` \
                     lists what is there",
                    place.program
                )
            })?;
        let attached = FdLink::try_from(program.take_link(id)?)?;
        attached
            .pin(pin)
            .with_context(|| format!("cannot pin the link as {}", pin.display()))?;
    }
    let attached = PinnedLink::from_pin(pin)
        .and_then(|pinned| FdLink::from(pinned).info())
        .with_context(|| format!("cannot read back the link {}", pin.display()))?;
    let own = program.info()?.id();
    ensure!(
        attached.program_id() == own,
        "{name} still has the program {} on its way out, not {own}: run `ha-agent detach --all` and \
         start again",
        attached.program_id()
    );
    Ok(())
}

/// Puts the program into the pinned link; false if there is none, or its interface is gone.
fn replace(program: &mut SchedClassifier, place: &Place<'_>) -> Result<bool> {
    let Place { pin, name, .. } = place;
    let Some(pinned) = pinned_link(pin, place.program)? else {
        return Ok(false);
    };
    let attached = SchedClassifierLink::try_from(pinned)
        .with_context(|| format!("{} is not a link of traffic control", pin.display()))?;
    match program.attach_to_link(attached) {
        Ok(_) => Ok(true),
        // The interface went away, and another one got its index.
        Err(ProgramError::SyscallError(error))
            if error.io_error.raw_os_error() == Some(libc::ENOLINK) =>
        {
            remove_link(pin)?;
            Ok(false)
        }
        Err(error) => Err(error)
            .with_context(|| format!("cannot replace the program on the way out of {name}")),
    }
}

fn filter(program: &mut SchedClassifier, place: &Place<'_>) -> Result<()> {
    let name = place.name;
    // Refused where it is there already, which is as good, and where `ingress` has its place.
    let added = tc::qdisc_add_clsact(name);
    if let Err(TcError::NetlinkError(error)) = &added
        && error.raw_os_error() == Some(libc::ENOENT)
    {
        bail!(
            "cannot attach {} to {name}: the kernel has no queueing discipline `clsact`, which this takes before \
             Linux 6.6: `modprobe sch_ingress`",
            program::EGRESS
        );
    }
    let older = SchedClassifierLink::attached(name, TcAttachType::Egress, PRIORITY, HANDLE, None)?;
    let attached = program.attach_to_link(older).or_else(|_| {
        let options = TcAttachOptions::Netlink(NlOptions {
            priority: PRIORITY,
            handle: HANDLE,
            classid: None,
        });
        program.attach_with_options(name, TcAttachType::Egress, options)
    });
    let id = attached.with_context(|| {
        format!(
            "cannot attach {} as a filter of {name}: is there a filter of another kind of priority \
             {PRIORITY} (`tc filter show dev {name} egress`), or are there no filters by BPF (`modprobe cls_bpf`)?",
            place.program
        )
    })?;
    // aya's link would take the filter away when it is dropped.
    let _stays = ManuallyDrop::new(program.take_link(id)?);
    // What is said to be egress of an `ingress` queueing discipline is put on its ingress.
    if added.is_err() && detach(name, place.program, TcAttachType::Ingress)? {
        bail!(
            "cannot attach {} to the egress of {name}, which has the queueing discipline `ingress` (`tc \
             qdisc show dev {name}`): have what made it make `clsact`, which can do the same and more",
            place.program
        );
    }
    Ok(())
}

/// Takes the program off the interface `index`, if it is there, whichever way it was attached.
///
/// # Errors
/// If its pin or its filter cannot be removed.
pub fn remove(pins: &PinDir, index: u32) -> Result<()> {
    let Some(name) = interface_name(index) else {
        // With the interface its filters went.
        return remove_link(&pins.egress_link(index));
    };
    take(&Place::on(pins, &name, index))
}

/// Takes the program from its place, whichever way it was attached.
///
/// # Errors
/// As [`remove`].
pub(super) fn take(place: &Place<'_>) -> Result<()> {
    remove_link(&place.pin)?;
    remove_filter(place)
}

fn remove_link(pin: &Path) -> Result<()> {
    if !pin.exists() {
        return Ok(());
    }
    fs::remove_file(pin).with_context(|| format!("cannot remove the link {}", pin.display()))
}

/// The queueing discipline stays: others may have come to use it.
fn remove_filter(place: &Place<'_>) -> Result<()> {
    let Place { program, name, .. } = place;
    detach(name, program, TcAttachType::Egress).with_context(|| {
        format!(
            "cannot remove the filter {program} of {name}: run `tc filter del dev {name} egress pref {PRIORITY}`"
        )
    })?;
    Ok(())
}

/// Removes our filters there. Returns whether there were any.
fn detach(name: &str, program: &str, place: TcAttachType) -> Result<bool> {
    match tc::qdisc_detach_program(name, place, program) {
        Ok(()) => Ok(true),
        Err(TcError::IoError(error)) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // A kernel without filters has none of ours.
        Err(TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
