//! The program onto interfaces. Its link is pinned, so that the program stays when the agent goes,
//! and is replaced at once when another agent comes.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use aya::{
    Ebpf,
    programs::{
        ProgramError, Xdp, XdpMode,
        links::{FdLink, PinnedLink},
        loaded_links, loaded_programs,
        xdp::XdpLink,
    },
};
use ha_common::abi::program;

use super::{
    PinDir, adopt, egress, load,
    refusal::{errno, refusal},
};
use crate::{config::Mode, net::Link};

/// An interface to attach to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The interface.
    pub link: Link,
    /// The mode.
    pub mode: Mode,
}

/// Attaches the loaded program.
#[derive(Debug)]
pub(super) struct Attacher<'a> {
    program: &'a mut Xdp,
    pins: &'a PinDir,
}

impl<'a> Attacher<'a> {
    /// For the program in `ebpf`, which must have been loaded.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn new(ebpf: &'a mut Ebpf, pins: &'a PinDir) -> Result<Self> {
        let program = load::xdp(ebpf, program::XDP)?;
        Ok(Self { program, pins })
    }

    /// Attaches the program to `link`: in place of an older one of ours at once, without a moment
    /// between them.
    ///
    /// # Errors
    /// If another program is there, or the driver refuses.
    pub(super) fn attach(&mut self, wanted: &Attach) -> Result<()> {
        let Attach { link, mode } = wanted;
        let mode = *mode;
        if !self.replace(link)? {
            self.attach_first(link, mode)?;
        }
        let pin = self.pins.link(link.index);
        let attached = PinnedLink::from_pin(&pin)
            .and_then(|pinned| FdLink::from(pinned).info())
            .with_context(|| format!("cannot read back the link {}", pin.display()))?;
        let own = self.program.info()?.id();
        ensure!(
            attached.program_id() == own,
            "{} still has the program {}, not {own}: run `ha-agent detach --all` and start again",
            link.name,
            attached.program_id()
        );
        tracing::info!(
            interface = %link.name,
            program = own,
            tag = format_args!("{:016x}", self.program.info()?.tag()),
            "the data path is in place: the program id on the link verified"
        );
        Ok(())
    }

    /// Puts the program into the pinned link; false if there is none, or its interface is gone.
    fn replace(&mut self, link: &Link) -> Result<bool> {
        let pin = self.pins.link(link.index);
        let Some(pinned) = pinned_link(&pin, program::XDP)? else {
            return Ok(false);
        };
        let attached = XdpLink::try_from(pinned)
            .with_context(|| format!("{} is not an XDP link", pin.display()))?;
        match self.program.attach_to_link(attached) {
            Ok(_) => Ok(true),
            // The interface went away, and another one got its index.
            Err(ProgramError::SyscallError(error))
                if error.io_error.raw_os_error() == Some(libc::ENOLINK) =>
            {
                remove(self.pins, link.index)?;
                Ok(false)
            }
            Err(error) => {
                Err(error).with_context(|| format!("cannot replace the program on {}", link.name))
            }
        }
    }

    fn attach_first(&mut self, link: &Link, mode: Mode) -> Result<()> {
        check_free(link)?;
        let aya_mode = match mode {
            Mode::Native => XdpMode::Driver,
            Mode::Generic => XdpMode::Skb,
        };
        let id = self
            .program
            .attach_to_if_index(link.index, aya_mode)
            .map_err(|error| {
                let said = refusal(link, mode, errno(&error));
                anyhow::Error::from(error).context(said)
            })?;
        let attached = self.program.take_link(id)?;
        // Without bpf_link, aya falls back to netlink, and such a link cannot be pinned.
        let attached = FdLink::try_from(attached).with_context(|| {
            format!(
                "the kernel attached the program to {0} without a link (it is older than 5.9): \
                 run `ip link set dev {0} xdp off`",
                link.name
            )
        })?;
        let pin = self.pins.link(link.index);
        attached
            .pin(&pin)
            .with_context(|| format!("cannot pin the link as {}", pin.display()))?;
        Ok(())
    }
}

/// Checks what can be checked before anything is loaded or pinned.
///
/// # Errors
/// If another program is on the interface, or ours in the other mode.
pub(super) fn check(pins: &PinDir, wanted: &Attach) -> Result<()> {
    let Attach { link, mode } = wanted;
    if pins.link(link.index).exists() {
        check_mode(link, *mode)
    } else {
        check_free(link)
    }
}

fn check_mode(link: &Link, mode: Mode) -> Result<()> {
    let found = match link.xdp {
        None => return Ok(()),
        Some(xdp) if xdp.generic => Mode::Generic,
        Some(_) => Mode::Native,
    };
    ensure!(
        found == mode,
        "{} has the program in {} mode, and the configuration says {}: \
         run `ha-agent detach --all`, then start the agent",
        link.name,
        found.name(),
        mode.name()
    );
    Ok(())
}

fn check_free(link: &Link) -> Result<()> {
    let Some(xdp) = link.xdp else {
        return Ok(());
    };
    bail!(
        "{} already has the XDP program \"{}\" (id {}): remove it \
         (`ip link set dev {} xdp off`, or by what attached it)",
        link.name,
        program_name(xdp.program).unwrap_or_default(),
        xdp.program,
        link.name
    )
}

/// Removes the links to all interfaces but these.
///
/// # Errors
/// If a pin cannot be removed.
pub(super) fn keep_only(pins: &PinDir, indices: &[u32]) -> Result<()> {
    let others = pins.links()?;
    let others = others.iter().filter(|index| !indices.contains(index));
    others.copied().try_for_each(|index| remove(pins, index))
}

/// Takes the program off the interface `index`.
///
/// # Errors
/// If the pin cannot be removed.
pub(super) fn remove(pins: &PinDir, index: u32) -> Result<()> {
    adopt::remove(pins, index)?;
    egress::remove(pins, index)?;
    let pin = pins.link(index);
    fs::remove_file(&pin).with_context(|| format!("cannot remove the link {}", pin.display()))
}

/// The link that is pinned there, of a program of this name; `None` if there is none.
///
/// # Errors
/// If what is pinned there is something else.
pub(super) fn pinned_link(pin: &Path, program: &str) -> Result<Option<FdLink>> {
    if !pin.exists() {
        return Ok(None);
    }
    let pinned = PinnedLink::from_pin(pin)
        .with_context(|| format!("cannot open the pinned link {}", pin.display()))?;
    let pinned = FdLink::from(pinned);
    let found = program_name(pinned.info()?.program_id());
    ensure!(
        found.as_deref().is_none_or(|name| name == program),
        "{} holds the program \"{}\", not \"{program}\": choose another `node.pin_dir`",
        pin.display(),
        found.unwrap_or_default(),
    );
    Ok(Some(pinned))
}

/// The ids of the data path's programs by interface, as their links are pinned. Without pins there are none.
///
/// # Errors
/// If a pin cannot be opened.
pub fn attached(pins: &PinDir) -> Result<BTreeMap<u32, u32>> {
    let mut attached = BTreeMap::new();
    if !pins.exists() {
        return Ok(attached);
    }
    for index in pins.links()? {
        let pin = pins.link(index);
        let info = PinnedLink::from_pin(&pin)
            .and_then(|pinned| FdLink::from(pinned).info())
            .with_context(|| format!("cannot read the link {}", pin.display()))?;
        attached.insert(index, info.program_id());
    }
    Ok(attached)
}

/// Name of a loaded program.
#[must_use]
pub fn program_name(id: u32) -> Option<String> {
    loaded_programs()
        .filter_map(Result::ok)
        .find(|program| program.id() == id)
        .map(|program| String::from_utf8_lossy(program.name()).into_owned())
}

/// The link that holds a program in its place; `None` if none does, as with netlink, or none can be seen.
#[must_use]
pub fn link_of(program: u32) -> Option<u32> {
    let mut links = loaded_links().filter_map(Result::ok);
    let found = links.find(|link| link.program_id() == program)?;
    Some(found.id())
}
