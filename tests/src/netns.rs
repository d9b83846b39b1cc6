//! Network namespaces.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns};

use crate::{command, sys};

/// Where `ip netns` keeps the handles of named namespaces.
pub(crate) const HANDLES: &str = "/run/netns";

/// A network namespace of the lab, by the name that `ip netns` lists. Removed on drop.
#[derive(Debug)]
pub struct NetNs {
    name: String,
    handle: File,
}

impl NetNs {
    /// Makes a namespace with its loopback interface up.
    ///
    /// # Errors
    ///
    /// When `ip` fails: not root, or the name is taken.
    pub fn create(name: &str) -> Result<Self> {
        command::run(Command::new("ip").args(["netns", "add", name])).context(
            "making a network namespace; the lab needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN)",
        )?;
        let path = Path::new(HANDLES).join(name);
        let handle = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        let made = Self {
            name: name.to_owned(),
            handle,
        };
        command::ip_batch(name, "link set lo up\n")?;
        Ok(made)
    }

    /// The name that `ip netns` lists.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `work` on a thread inside the namespace. Sockets that it opens stay in the namespace,
    /// wherever they are used later.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered, or what `work` returns.
    ///
    /// # Panics
    ///
    /// When `work` does.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let inside = || {
            setns(&self.handle, CloneFlags::CLONE_NEWNET)
                .with_context(|| format!("entering namespace {}", self.name))?;
            work()
        };
        match thread::scope(|scope| scope.spawn(inside).join()) {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Starts a thread of this name whose sockets are in the namespace.
    ///
    /// # Errors
    ///
    /// When there can be no more threads; that the namespace cannot be entered is the thread's result.
    pub fn spawn<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<JoinHandle<Result<T>>> {
        let handle = self.handle.try_clone()?;
        let inside = move || {
            setns(handle, CloneFlags::CLONE_NEWNET)?;
            work()
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(inside)
            .with_context(|| format!("starting the thread {name}"))
    }

    /// A command that will run in the namespace. `/sys/fs/bpf` stays visible to it, unlike with
    /// `ip netns exec`. It dies with the thread that starts it.
    ///
    /// # Errors
    ///
    /// When the handle cannot be duplicated.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let mut command = Command::new(program);
        sys::enter_before_exec(&mut command, self.handle.try_clone()?);
        Ok(command)
    }

    /// Sets a kernel parameter of the namespace, named as `sysctl` does but with slashes:
    /// `ipv6/conf/all/accept_dad`.
    ///
    /// # Errors
    ///
    /// When the kernel does not know or does not accept it.
    pub fn set(&self, parameter: &str, value: &str) -> Result<()> {
        self.run(|| {
            fs::write(Path::new("/proc/sys/net").join(parameter), value)
                .with_context(|| format!("setting net/{parameter} to {value}"))
        })
    }

    /// The index of an interface in the namespace.
    ///
    /// # Errors
    ///
    /// When there is no such interface.
    pub fn ifindex(&self, interface: &str) -> Result<u32> {
        self.run(|| {
            nix::net::if_::if_nametoindex(interface)
                .map_err(|error| anyhow!("interface {interface} in {}: {error}", self.name))
        })
    }
}

impl Drop for NetNs {
    fn drop(&mut self) {
        // There is nobody to tell in a drop; the next lab sweeps what is left.
        let _ = command::run(Command::new("ip").args(["netns", "del", &self.name]));
    }
}
