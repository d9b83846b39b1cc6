//! The file system of pinned BPF objects.

use std::{fs, process::Command};

use crate::privilege::Privilege;

/// Where it is mounted by every distribution that mounts it.
const MOUNT_POINT: &str = "/sys/fs/bpf";

/// Whether it is mounted there.
pub(crate) fn is_mounted() -> bool {
    fs::read_to_string("/proc/mounts").is_ok_and(|mounts| has_bpffs(&mounts))
}

fn has_bpffs(mounts: &str) -> bool {
    mounts.lines().any(|line| {
        let mut fields = line.split(' ').skip(1);
        fields.next() == Some(MOUNT_POINT) && fields.next() == Some("bpf")
    })
}

/// The command that mounts it.
pub(crate) fn mount_command(privilege: Privilege) -> Command {
    let mut command = privilege.command("mount");
    command.args(["-t", "bpf", "bpf", MOUNT_POINT]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bpffs_at_its_place_counts() {
        assert!(has_bpffs(
            "proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw 0 0\n"
        ));
        assert!(!has_bpffs("none /sys/fs/bpf tmpfs rw 0 0\n"));
        assert!(!has_bpffs("bpf /run/other bpf rw 0 0\n"));
    }
}
