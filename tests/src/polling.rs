//! The XDP program on the switch's ports that lets everything through.
//!
//! What a program on one end of a veth pair sends back with `XDP_TX` is taken only by an end that has a
//! program too: `veth_xdp_flush` in the kernel's `drivers/net/veth.c` wakes nobody else, even where
//! generic receive offload makes the other end poll. NICs do not have this trait.

use std::{io, os::fd::OwnedFd};

use crate::{netns::NetNs, sys};

/// `r0 = XDP_PASS; exit`, as the kernel has instructions (`struct bpf_insn`).
const PASS: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095];

/// `enum bpf_cmd`.
const PROG_LOAD: libc::c_int = 5;
const LINK_CREATE: libc::c_int = 28;
/// `BPF_PROG_TYPE_XDP`.
const TYPE_XDP: u32 = 6;
/// `BPF_XDP`, the attach type.
const ATTACH_XDP: u32 = 37;

/// The first fields of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
struct ProgLoad {
    program_type: u32,
    instructions: u32,
    code: *const u64,
    license: *const u8,
}

/// The fields of `union bpf_attr` for `BPF_LINK_CREATE`.
#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

/// Puts the program on an interface, as a port of the switch, for as long as the result lives.
///
/// # Errors
///
/// When there is no such interface, or it has a program already.
pub fn let_through(namespace: &NetNs, interface: &str) -> anyhow::Result<OwnedFd> {
    let interface = namespace.ifindex(interface)?;
    namespace.run(|| {
        let program = load()?;
        let link = LinkCreate {
            program: sys::number(&program),
            interface,
            attach_type: ATTACH_XDP,
            flags: 0,
        };
        Ok(sys::bpf(LINK_CREATE, &link)?)
    })
}

fn load() -> io::Result<OwnedFd> {
    let program = ProgLoad {
        program_type: TYPE_XDP,
        instructions: PASS.len() as u32,
        code: PASS.as_ptr(),
        license: c"GPL".as_ptr().cast(),
    };
    sys::bpf(PROG_LOAD, &program)
}
