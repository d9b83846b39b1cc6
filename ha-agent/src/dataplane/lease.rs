//! The lease program, run with `BPF_PROG_TEST_RUN`.

use std::sync::{PoisonError, RwLock};

use anyhow::{Context, Result, anyhow};
use aya::{TestRun, TestRunOptions, programs::Xdp};
use aya_obj::programs::XdpAttachType;
use ha_common::{
    abi::{Node, map, program},
    lease::{Reply, Request},
};

use super::{maps, node::NodeMap, pin::PinDir};

/// The dead-man's switch: the program, and the map in which it keeps the lease.
#[derive(Debug)]
pub struct LeaseSwitch {
    program: RwLock<Xdp>,
    node: NodeMap,
}

impl LeaseSwitch {
    /// Opens what is pinned.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(pins: &PinDir) -> Result<Self> {
        let program = RwLock::new(pinned(pins)?);
        let node = NodeMap::new(maps::open(pins, map::NODE)?)?;
        Ok(Self { program, node })
    }

    /// Goes on with the program that is pinned now. The timer of a valid lease still calls the one before,
    /// which it keeps in the kernel.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn renew_program(&self, pins: &PinDir) -> Result<()> {
        let program = pinned(pins)?;
        *self.program.write().unwrap_or_else(PoisonError::into_inner) = program;
        Ok(())
    }

    /// Has the kernel grant, renew or take back the lease.
    ///
    /// # Errors
    /// If the program cannot be run. That it refuses is in the reply.
    pub fn run(&self, request: Request) -> Result<Reply> {
        let result = self
            .program
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .test_run(TestRunOptions {
                data_in: Some(&request.to_frame()),
                ..TestRunOptions::new()
            })
            .context("cannot run the lease program")?;
        Reply::from_u32(result.return_value)
            .ok_or_else(|| anyhow!("the lease program answers {}", result.return_value))
    }

    /// The lease as the kernel has it at this moment.
    ///
    /// # Errors
    /// If the map cannot be read.
    pub fn node(&self) -> Result<Node> {
        self.node.read()
    }
}

fn pinned(pins: &PinDir) -> Result<Xdp> {
    let pin = pins.program(program::LEASE);
    Xdp::from_pin(&pin, XdpAttachType::Interface)
        .with_context(|| format!("cannot open the pinned program {}", pin.display()))
}
