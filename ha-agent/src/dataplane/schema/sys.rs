//! The system call `bpf`, for what aya does only with types that are known when it is compiled.
#![expect(unsafe_code, reason = "a system call takes pointers")]

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya_obj::generated::{bpf_btf_info, bpf_cmd, bpf_map_info};

/// The part of `union bpf_attr` for one element.
#[repr(C)]
struct Element {
    map: u32,
    pad: u32,
    key: u64,
    /// A value, or the next key.
    out: u64,
    flags: u64,
}

/// The part of `union bpf_attr` for what is known of an object.
#[repr(C)]
struct Info {
    fd: u32,
    len: u32,
    info: u64,
}

/// The part of `union bpf_attr` for an object by its number.
#[repr(C)]
struct ById {
    id: u32,
    next: u32,
    flags: u32,
}

/// Calls `bpf` with the part of its attributes that the command reads.
fn bpf<T>(command: bpf_cmd, attributes: &T) -> io::Result<libc::c_long> {
    // SAFETY: the attributes are the command's, of the size that is given, and all pointers in them are to
    // memory that the callers below hold for the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command as libc::c_int,
            std::ptr::from_ref(attributes),
            size_of::<T>(),
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

fn raw(fd: BorrowedFd<'_>) -> u32 {
    // An open descriptor is not negative.
    u32::try_from(fd.as_raw_fd()).unwrap_or(u32::MAX)
}

/// What the kernel knows of a map.
pub(super) fn map_info(map: BorrowedFd<'_>) -> io::Result<bpf_map_info> {
    // SAFETY: of integers and arrays of integers, for which zeros are a value.
    let mut info: bpf_map_info = unsafe { zeroed() };
    let attributes = Info {
        fd: raw(map),
        len: u32::try_from(size_of::<bpf_map_info>()).unwrap_or(0),
        info: std::ptr::from_mut(&mut info) as u64,
    };
    bpf(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &attributes)?;
    Ok(info)
}

/// The type information with this number.
pub(super) fn btf(id: u32) -> io::Result<Vec<u8>> {
    let by_id = ById {
        id,
        next: 0,
        flags: 0,
    };
    let fd = bpf(bpf_cmd::BPF_BTF_GET_FD_BY_ID, &by_id)?;
    // SAFETY: the kernel has just made the descriptor for this process.
    let btf = unsafe { OwnedFd::from_raw_fd(libc::c_int::try_from(fd).unwrap_or(-1)) };
    let len = btf_info(btf.as_fd(), &mut [])?.btf_size;
    let mut bytes = vec![0; len as usize];
    btf_info(btf.as_fd(), &mut bytes)?;
    Ok(bytes)
}

fn btf_info(btf: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<bpf_btf_info> {
    // SAFETY: as in `map_info`.
    let mut info: bpf_btf_info = unsafe { zeroed() };
    info.btf = bytes.as_mut_ptr() as u64;
    info.btf_size = u32::try_from(bytes.len()).unwrap_or(0);
    let attributes = Info {
        fd: raw(btf),
        len: u32::try_from(size_of::<bpf_btf_info>()).unwrap_or(0),
        info: std::ptr::from_mut(&mut info) as u64,
    };
    bpf(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &attributes)?;
    Ok(info)
}

/// Reads the value of `key` into `value`, which must be as long as the map's values; false if there is none.
pub(super) fn lookup(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
    let attributes = Element {
        map: raw(map),
        pad: 0,
        key: key.as_ptr() as u64,
        out: value.as_mut_ptr() as u64,
        flags: 0,
    };
    found(bpf(bpf_cmd::BPF_MAP_LOOKUP_ELEM, &attributes))
}

/// Puts the key after `key` into `next`, or the first one; false if there is none.
pub(super) fn next_key(
    map: BorrowedFd<'_>,
    key: Option<&[u8]>,
    next: &mut [u8],
) -> io::Result<bool> {
    let attributes = Element {
        map: raw(map),
        pad: 0,
        key: key.map_or(0, |key| key.as_ptr() as u64),
        out: next.as_mut_ptr() as u64,
        flags: 0,
    };
    found(bpf(bpf_cmd::BPF_MAP_GET_NEXT_KEY, &attributes))
}

fn found(result: io::Result<libc::c_long>) -> io::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}
