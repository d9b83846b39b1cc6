//! What is said when an interface does not take the program: what the kernel's answer means, and the mend.

use std::{error::Error, io};

use crate::{config::Mode, net::Link};

/// The kernel's answer in an error of aya, if there is one.
pub(super) fn errno(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<io::Error>() {
            return found.raw_os_error();
        }
        next = error.source();
    }
    None
}

/// What happened, and what to do.
pub(super) fn refusal(link: &Link, mode: Mode, errno: Option<i32>) -> String {
    let Link { name, mtu, .. } = link;
    let reason = match mode {
        Mode::Native => native(name, *mtu, errno),
        Mode::Generic => generic(name, errno),
    };
    format!(
        "cannot attach the program to {name} (MTU {mtu}) in {} mode: {reason}",
        mode.name()
    )
}

/// As the drivers answer (`virtnet_xdp_set`, `veth_xdp_set`, `ixgbe_xdp_setup`, `mlx5e_xdp_allowed`, `ena_xdp_set` in
/// Linux 6.1) and `dev_xdp_attach` in `net/core/dev.c` before them.
fn native(name: &str, mtu: u32, errno: Option<i32>) -> String {
    let fewer = format!(
        "`ethtool -l {name}` shows its queues and `ethtool -L {name} combined N` changes them"
    );
    let stack = "or set mode = \"generic\" for this interface";
    match errno {
        Some(libc::EBUSY | libc::EEXIST) => taken(name),
        Some(libc::EOPNOTSUPP) => format!(
            "its driver has no XDP, or not as it is set up: turn its offloads off (`ethtool -K {name} lro off rx-gro-hw \
             off`), lower the MTU (`ip link set dev {name} mtu 1500`), {stack}"
        ),
        // virtio_net before 5.13, ixgbe, ENA: one queue for each processor beside those of the stack.
        Some(libc::ENOMEM | libc::EFAULT) => format!(
            "it has too few queues free for the program, or no memory: {fewer}, to fewer than half of the most; a \
             virtual machine can be given more; {stack}"
        ),
        // veth.
        Some(libc::ENOSPC) => format!(
            "it receives on fewer queues than its other end sends from: `ethtool -L {name} rx N` with as many, {stack}"
        ),
        Some(libc::EINVAL | libc::ERANGE | libc::EMSGSIZE) => format!(
            "its frames are too large for programs at the MTU {mtu}, or an offload or its queues are in the way: lower \
             the MTU (`ip link set dev {name} mtu 1500`; of a veth that of its other end), turn LRO off (`ethtool -K \
             {name} lro off`); {fewer}; {stack}"
        ),
        Some(libc::EPERM | libc::EACCES) => not_permitted(),
        Some(libc::ENODEV) => gone(name),
        Some(_) | None => {
            format!("its driver refuses it (`dmesg` may tell why): mend that, {stack}")
        }
    }
}

fn generic(name: &str, errno: Option<i32>) -> String {
    match errno {
        Some(libc::EBUSY | libc::EEXIST) => taken(name),
        Some(libc::EPERM | libc::EACCES) => not_permitted(),
        Some(libc::ENODEV) => gone(name),
        Some(libc::EOPNOTSUPP | libc::EINVAL) => {
            format!(
                "the stack runs no program on it, as on a port of a bond: attach to the bond, or take LRO off it \
                 (`ethtool -K {name} lro off`)"
            )
        }
        Some(_) | None => "is the interface up, and of Ethernet?".to_owned(),
    }
}

fn taken(name: &str) -> String {
    format!(
        "another program has come to it: `ip -details link show dev {name}` shows its id; remove it (`ip link set dev \
         {name} xdp off`, or by what attached it)"
    )
}

fn not_permitted() -> String {
    "the agent may not: run it as root, or with CAP_NET_ADMIN and CAP_BPF".to_owned()
}

fn gone(name: &str) -> String {
    format!("{name} has just gone: start the agent again when it is back")
}

#[cfg(test)]
mod tests {
    use aya::programs::ProgramError;

    use super::*;

    fn link() -> Link {
        Link {
            index: 7,
            name: "eth0".to_owned(),
            up: true,
            mtu: 9000,
            ..Link::default()
        }
    }

    #[test]
    fn each_answer_has_its_mend() {
        let cases = [
            (libc::EBUSY, "ip link set dev eth0 xdp off"),
            (libc::EEXIST, "ip link set dev eth0 xdp off"),
            (libc::EOPNOTSUPP, "mode = \"generic\""),
            (libc::ENOMEM, "ethtool -L eth0 combined"),
            (libc::ENOSPC, "ethtool -L eth0 rx"),
            (libc::EINVAL, "ip link set dev eth0 mtu 1500"),
            (libc::ERANGE, "MTU 9000"),
            (libc::EPERM, "root"),
            (libc::ENODEV, "gone"),
            (libc::EIO, "dmesg"),
        ];
        for (errno, mend) in cases {
            let said = refusal(&link(), Mode::Native, Some(errno));
            assert!(said.contains(mend), "{errno}: {said}");
        }
        let said = refusal(&link(), Mode::Generic, Some(libc::EBUSY));
        assert!(
            said.contains("generic mode: another program has come"),
            "{said}"
        );
    }

    #[test]
    fn the_answer_is_found_in_what_aya_says() {
        let error = ProgramError::SyscallError(aya::sys::SyscallError {
            call: "bpf_link_create",
            io_error: io::Error::from_raw_os_error(libc::ENOMEM),
        });
        assert_eq!(errno(&error), Some(libc::ENOMEM));
        assert_eq!(errno(&ProgramError::AlreadyAttached), None);
    }
}
