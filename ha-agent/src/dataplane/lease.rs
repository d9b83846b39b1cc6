//! The lease program, run with `BPF_PROG_TEST_RUN`.

use std::{
    mem::replace,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use anyhow::{Context, Result, anyhow};
use aya::{TestRun, TestRunOptions, programs::Xdp};
use aya_obj::programs::XdpAttachType;
use ha_common::{
    abi::{Node, map, program},
    lease::{Operation, Reply, Request},
};

use super::{maps, node::NodeMap, pin::PinDir, schema::ForeignNode};

/// To end whatever lease there is.
const DROP: Request = Request {
    operation: Operation::Drop as u8,
    generation: 0,
    pad: [0; 6],
    length_ns: [0; 8],
};

/// The dead-man's switch: the program, and the map in which it keeps the lease.
#[derive(Debug)]
pub struct LeaseSwitch {
    parts: RwLock<Parts>,
}

#[derive(Debug)]
struct Parts {
    program: Xdp,
    node: Where,
}

/// Whose map has the lease.
#[derive(Debug)]
enum Where {
    Own(NodeMap),
    Foreign(ForeignNode),
}

impl LeaseSwitch {
    /// Opens what is pinned.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(pins: &PinDir) -> Result<Self> {
        let node = NodeMap::new(maps::open(pins, map::NODE)?)?;
        Self::of(pins, Where::Own(node))
    }

    /// The switch of another agent, with the map of its schema.
    ///
    /// # Errors
    /// If its program is not there.
    pub(super) fn foreign(pins: &PinDir, node: ForeignNode) -> Result<Self> {
        Self::of(pins, Where::Foreign(node))
    }

    fn of(pins: &PinDir, node: Where) -> Result<Self> {
        let program = pinned(pins)?;
        let parts = RwLock::new(Parts { program, node });
        Ok(Self { parts })
    }

    /// Goes on with the program that is pinned now. The timer of a valid lease still calls the one before,
    /// which it keeps in the kernel.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn renew_program(&self, pins: &PinDir) -> Result<()> {
        let program = pinned(pins)?;
        self.write().program = program;
        Ok(())
    }

    /// Goes on with another switch, and returns the one before.
    pub fn exchange(&self, other: Self) -> Self {
        let other = other.parts.into_inner();
        let other = other.unwrap_or_else(PoisonError::into_inner);
        let parts = RwLock::new(replace(&mut *self.write(), other));
        Self { parts }
    }

    /// Ends the lease, whatever its state.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn give_up(&self) -> Result<()> {
        self.run(DROP).map(drop)
    }

    fn read(&self) -> RwLockReadGuard<'_, Parts> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Parts> {
        self.parts.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the kernel grant, renew or take back the lease.
    ///
    /// # Errors
    /// If the program cannot be run. That it refuses is in the reply.
    pub fn run(&self, request: Request) -> Result<Reply> {
        run(&self.read().program, request)
    }

    /// The lease as the kernel has it at this moment.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn node(&self) -> Result<Node> {
        match &self.read().node {
            Where::Own(node) => node.read(),
            Where::Foreign(node) => node.read(),
        }
    }
}

/// Ends the lease of the agent that is pinned there, of whatever schema.
///
/// # Errors
/// If its program cannot be run.
pub(super) fn end(pins: &PinDir) -> Result<()> {
    run(&pinned(pins)?, DROP).map(drop)
}

fn run(program: &Xdp, request: Request) -> Result<Reply> {
    let result = program
        .test_run(TestRunOptions {
            data_in: Some(&request.to_frame()),
            ..TestRunOptions::new()
        })
        .context("cannot run the lease program")?;
    Reply::from_u32(result.return_value)
        .ok_or_else(|| anyhow!("the lease program answers {}", result.return_value))
}

fn pinned(pins: &PinDir) -> Result<Xdp> {
    let pin = pins.program(program::LEASE);
    Xdp::from_pin(&pin, XdpAttachType::Interface)
        .with_context(|| format!("cannot open the pinned program {}", pin.display()))
}
