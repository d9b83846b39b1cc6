//! The data path in the kernel without any interface: loaded privately, run on single frames with
//! `BPF_PROG_TEST_RUN`.

mod maps;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf,
    programs::{SchedClassifier, TestRun, TestRunOptions, Xdp, XdpMode},
};
use ha_common::{
    abi::program,
    lease::{Operation, Reply, Request},
};
use nix::unistd::Uid;

/// Octets by which a program may grow a frame at most.
const MAX_GROWTH: usize = 64;

/// Octets of the kernel's `struct xdp_md`.
const CONTEXT_LEN: usize = 24;

/// What a program made of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kernel's `enum xdp_action`, or `TC_ACT_*` on the way out.
    pub action: u32,
    /// The frame as the program left it.
    pub frame: Vec<u8>,
}

/// A private copy of the data path with maps of its own, none of them pinned.
pub struct DataPath {
    ebpf: Ebpf,
}

impl DataPath {
    /// Loads the data path from a BPF object.
    ///
    /// # Errors
    ///
    /// Without root, and when the kernel refuses the object; then with the verifier's log.
    pub fn load(object: &[u8]) -> Result<Self> {
        ensure!(
            Uid::effective().is_root(),
            "loading a BPF program takes root: run this with sudo"
        );
        let mut ebpf = Ebpf::load(object).context("the BPF object cannot be read")?;
        for name in [program::XDP, program::LEASE] {
            let xdp: &mut Xdp = ebpf
                .program_mut(name)
                .with_context(|| format!("the BPF object has no program {name}"))?
                .try_into()?;
            xdp.load()
                .with_context(|| format!("the kernel refuses the program {name}"))?;
        }
        for name in [program::EGRESS, program::LOCAL] {
            let classifier: &mut SchedClassifier = ebpf
                .program_mut(name)
                .with_context(|| format!("the BPF object has no program {name}"))?
                .try_into()?;
            classifier
                .load()
                .with_context(|| format!("the kernel refuses the program {name}"))?;
        }
        Ok(Self { ebpf })
    }

    /// Runs the data path on a frame of at least 14 octets, as if loopback had received it.
    ///
    /// `linear` is how many octets the frame has in its first buffer, if that is not for the kernel
    /// to choose.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it on such a frame. Kernels before 6.18 have no choice of `linear`.
    pub fn run(&self, frame: &[u8], linear: Option<usize>) -> Result<Outcome> {
        let context = linear.map(context_of);
        let mut out = vec![0; frame.len() + MAX_GROWTH];
        let result = self.program(program::XDP)?.test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ctx_in: context.as_ref().map(<[u8; CONTEXT_LEN]>::as_slice),
            ..TestRunOptions::new()
        })?;
        out.truncate(result.data_size_out as usize);
        Ok(Outcome {
            action: result.return_value,
            frame: out,
        })
    }

    /// Whether the kernel lets [`Self::run`] choose the length of the first buffer.
    #[must_use]
    pub fn can_split(&self) -> bool {
        self.run(&[0; 64], Some(32)).is_ok()
    }

    /// Runs the program on the way out on a frame. Its action is a `TC_ACT_*`.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it on such a frame.
    pub fn send(&self, frame: &[u8]) -> Result<Outcome> {
        self.classify(program::EGRESS, frame)
    }

    /// Runs the program on the way out of the loopback interface on a frame. Its action is a `TC_ACT_*`.
    ///
    /// # Errors
    ///
    /// As for [`Self::send`].
    pub fn send_to_self(&self, frame: &[u8]) -> Result<Outcome> {
        self.classify(program::LOCAL, frame)
    }

    fn classify(&self, name: &str, frame: &[u8]) -> Result<Outcome> {
        let mut out = vec![0; frame.len()];
        let result = self.classifier(name)?.test_run(TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ..TestRunOptions::new()
        })?;
        out.truncate(result.data_size_out as usize);
        Ok(Outcome {
            action: result.return_value,
            frame: out,
        })
    }

    /// The program on the way out, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn egress(&self) -> Result<&SchedClassifier> {
        self.classifier(program::EGRESS)
    }

    /// A program of traffic control, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn classifier(&self, name: &str) -> Result<&SchedClassifier> {
        let program = self
            .ebpf
            .program(name)
            .with_context(|| format!("the BPF object has no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// Asks for a lease operation, as the agent does.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run the program, or its answer is not a [`Reply`].
    pub fn lease(&self, request: Request) -> Result<Reply> {
        let frame = request.to_frame();
        let result = self.program(program::LEASE)?.test_run(TestRunOptions {
            data_in: Some(&frame),
            ..TestRunOptions::new()
        })?;
        Reply::from_u32(result.return_value)
            .with_context(|| format!("{} is no reply of the lease program", result.return_value))
    }

    /// Takes a lease of this length.
    ///
    /// # Errors
    ///
    /// When it is not granted.
    pub fn grant(&self, length: Duration) -> Result<()> {
        let nanoseconds = u64::try_from(length.as_nanos())?;
        let reply = self.lease(Request {
            operation: Operation::Grant as u8,
            generation: 0,
            pad: [0; 6],
            length_ns: nanoseconds.to_le_bytes(),
        })?;
        ensure!(reply == Reply::Done, "the lease was not granted: {reply:?}");
        Ok(())
    }

    /// One of the programs, loaded.
    ///
    /// # Errors
    ///
    /// When the object has no such program.
    pub fn program(&self, name: &str) -> Result<&Xdp> {
        let program = self
            .ebpf
            .program(name)
            .with_context(|| format!("the BPF object has no program {name}"))?;
        Ok(program.try_into()?)
    }

    /// The names of all maps.
    pub fn map_names(&self) -> impl Iterator<Item = &str> {
        self.ebpf.maps().map(|(name, _)| name)
    }

    /// Attaches the data path to the interface `ifindex` of the calling thread's network namespace, for as long as
    /// this lives.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn attach(&mut self, ifindex: u32) -> Result<()> {
        let program = self.ebpf.program_mut(program::XDP);
        let xdp: &mut Xdp = program
            .with_context(|| format!("the BPF object has no program {}", program::XDP))?
            .try_into()?;
        xdp.attach_to_if_index(ifindex, XdpMode::Driver)
            .with_context(|| format!("attaching to interface {ifindex}"))?;
        Ok(())
    }
}

/// A `struct xdp_md` of which only `data_end` is set: to the length of the first buffer.
fn context_of(linear: usize) -> [u8; CONTEXT_LEN] {
    let mut context = [0; CONTEXT_LEN];
    context[4..8].copy_from_slice(&(linear as u32).to_ne_bytes());
    context
}
