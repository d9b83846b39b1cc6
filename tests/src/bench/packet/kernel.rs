//! The `bpf` system call, for programs that come from no object and that aya cannot load.
#![expect(
    unsafe_code,
    reason = "there is no safe wrapper for loading single instructions"
)]

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use anyhow::{Context, Result};
use aya::programs::ProgramFd;

use super::refill::Instruction;

/// Commands of the system call, `enum bpf_cmd`.
const MAP_CREATE: libc::c_int = 0;
const MAP_UPDATE_ELEM: libc::c_int = 2;
const PROG_LOAD: libc::c_int = 5;
const PROG_TEST_RUN: libc::c_int = 10;

const LINK_CREATE: libc::c_int = 28;

/// `BPF_MAP_TYPE_PROG_ARRAY`.
const PROG_ARRAY: u32 = 3;
/// `BPF_PROG_TYPE_XDP`, and `BPF_XDP` as what it is to be attached to: both must be those of the
/// data path, or the kernel does not let one program go on to the other.
const TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;
/// `BPF_F_XDP_HAS_FRAGS`, likewise.
const HAS_FRAGS: u32 = 1 << 5;
/// `BPF_PROG_TYPE_SCHED_CLS`.
const TYPE_CLASSIFIER: u32 = 3;

/// A program in the kernel.
pub(in crate::bench) struct Program(OwnedFd);

/// Programs that another one can go on to, by their place.
pub(super) struct Chain(OwnedFd);

/// `union bpf_attr` of each command, as far as it is used.
#[repr(C)]
struct MapCreate {
    kind: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

#[repr(C)]
struct MapUpdate {
    map_fd: u32,
    pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgLoad {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    ifindex: u32,
    attach_type: u32,
}

/// The fields of `BPF_LINK_CREATE`.
#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

#[repr(C)]
struct TestRun {
    prog_fd: u32,
    return_value: u32,
    data_size_in: u32,
    data_size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration_ns: u32,
}

/// The same with what live frames take.
#[repr(C)]
struct LiveRun {
    run: TestRun,
    context_size_in: u32,
    context_size_out: u32,
    context_in: u64,
    context_out: u64,
    flags: u32,
    cpu: u32,
    batch_size: u32,
    pad: u32,
}

/// `BPF_F_TEST_XDP_LIVE_FRAMES`.
const LIVE_FRAMES: u32 = 1 << 1;

/// `struct xdp_md`.
#[repr(C)]
struct XdpContext {
    data: u32,
    data_end: u32,
    data_meta: u32,
    ingress_ifindex: u32,
    rx_queue_index: u32,
    egress_ifindex: u32,
}

impl Program {
    /// A program that aya loaded.
    ///
    /// # Errors
    ///
    /// When there can be no more descriptors.
    pub(in crate::bench) fn of(program: &ProgramFd) -> Result<Self> {
        Ok(Self(program.as_fd().try_clone_to_owned()?))
    }

    /// Loads instructions that can go on to the data path.
    ///
    /// # Errors
    ///
    /// When the kernel refuses them.
    pub(in crate::bench) fn load(code: &[Instruction]) -> Result<Self> {
        Self::load_as(TYPE_XDP, ATTACH_XDP, HAS_FRAGS, code)
    }

    /// Loads instructions as a program of traffic control.
    ///
    /// # Errors
    ///
    /// When the kernel refuses them.
    pub(super) fn load_classifier(code: &[Instruction]) -> Result<Self> {
        Self::load_as(TYPE_CLASSIFIER, 0, 0, code)
    }

    fn load_as(kind: u32, attach_type: u32, flags: u32, code: &[Instruction]) -> Result<Self> {
        let code: Vec<u64> = code.iter().map(Instruction::encode).collect();
        // SAFETY: a structure of integers, of which zeros are a value.
        let mut attributes: ProgLoad = unsafe { zeroed() };
        attributes.kind = kind;
        attributes.instruction_count = code.len() as u32;
        attributes.instructions = code.as_ptr() as u64;
        attributes.license = c"GPL".as_ptr() as u64;
        attributes.flags = flags;
        attributes.attach_type = attach_type;
        // SAFETY: the pointers are to memory that lives until the call returns.
        let fd = unsafe { open(PROG_LOAD, &mut attributes) };
        Ok(Self(fd.context(
            "the kernel refuses a program of the benchmark",
        )?))
    }

    /// Runs the program on a frame, many times over. Returns the time of one run in nanoseconds.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it.
    pub(super) fn run(&self, frame: &[u8], repeat: u32) -> Result<f64> {
        // SAFETY: as in `load`.
        let mut attributes: TestRun = unsafe { zeroed() };
        attributes.prog_fd = number(self.0.as_fd());
        attributes.data_size_in = frame.len() as u32;
        attributes.data_in = frame.as_ptr() as u64;
        attributes.repeat = repeat;
        // SAFETY: as in `load`.
        unsafe { call(PROG_TEST_RUN, &mut attributes) }.context("a test run failed")?;
        Ok(f64::from(attributes.duration_ns))
    }

    /// Runs the program on a frame that the interface seems to have received, `count` times, and does with it what it
    /// says.
    ///
    /// # Errors
    ///
    /// When the kernel cannot run it.
    pub(in crate::bench) fn inject(&self, frame: &[u8], ifindex: u32, count: u32) -> Result<()> {
        let context = XdpContext {
            data: 0,
            data_end: frame.len() as u32,
            data_meta: 0,
            ingress_ifindex: ifindex,
            rx_queue_index: 0,
            egress_ifindex: 0,
        };
        // SAFETY: as in `load`.
        let mut attributes: LiveRun = unsafe { zeroed() };
        attributes.run.prog_fd = number(self.0.as_fd());
        attributes.run.data_size_in = frame.len() as u32;
        attributes.run.data_in = frame.as_ptr() as u64;
        attributes.run.repeat = count;
        attributes.context_size_in = size_of::<XdpContext>() as u32;
        attributes.context_in = (&raw const context) as u64;
        attributes.flags = LIVE_FRAMES;
        // SAFETY: as in `load`.
        unsafe { call(PROG_TEST_RUN, &mut attributes) }
            .context("the kernel does not take live frames")?;
        Ok(())
    }

    /// Attaches the program to the interface `ifindex` of the calling thread's network namespace, for as long as
    /// the result lives.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub(in crate::bench) fn attach(&self, ifindex: u32) -> Result<OwnedFd> {
        let mut create = LinkCreate {
            program: number(self.0.as_fd()),
            interface: ifindex,
            attach_type: ATTACH_XDP,
            flags: 0,
        };
        // SAFETY: the command has no pointers.
        unsafe { open(LINK_CREATE, &mut create) }.context("a program cannot be attached")
    }
}

impl Chain {
    /// Programs in this order.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to put them together.
    pub(super) fn of(programs: &[&Program]) -> Result<Self> {
        let mut create = MapCreate {
            kind: PROG_ARRAY,
            key_size: 4,
            value_size: 4,
            max_entries: programs.len() as u32,
        };
        // SAFETY: the command has no pointers.
        let chain = unsafe { open(MAP_CREATE, &mut create) }.context("no map of programs")?;
        for (place, program) in (0u32..).zip(programs) {
            let value = number(program.0.as_fd());
            let mut update = MapUpdate {
                map_fd: number(chain.as_fd()),
                pad: 0,
                key: (&raw const place) as u64,
                value: (&raw const value) as u64,
                flags: 0,
            };
            // SAFETY: key and value are of the sizes above, and live until the call returns.
            unsafe { call(MAP_UPDATE_ELEM, &mut update) }
                .context("a program cannot be put into the map of programs")?;
        }
        Ok(Self(chain))
    }

    /// The number by which instructions name it.
    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().cast_unsigned()
}

/// Calls a command that returns a file descriptor.
///
/// # Safety
///
/// As for [`call`], and the command returns a new descriptor.
unsafe fn open<T>(command: libc::c_int, attributes: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller's promise.
    let fd = unsafe { call(command, attributes) }?;
    // SAFETY: the kernel has just opened it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// # Safety
///
/// `T` is what the command reads and writes, and pointers in it are valid as the command uses them.
unsafe fn call<T>(command: libc::c_int, attributes: &mut T) -> io::Result<libc::c_long> {
    // SAFETY: the caller's promise; the kernel keeps within the size that is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attributes),
            size_of::<T>(),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}
