//! Ways in which a host can be wrong.

/// One of them.
pub(crate) struct Wrong {
    /// The check that finds it.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) level: &'static str,
    /// What it is about.
    pub(crate) subject: &'static str,
    /// What makes the host wrong.
    pub(crate) by: &'static [&'static str],
    /// In which way the doctor is run, where that is what is wrong.
    pub(crate) through: &'static str,
    /// Checks that find something wrong with it too.
    pub(crate) others: &'static [&'static str],
    /// Whether the doctor prints the commands that mend it.
    pub(crate) mends: bool,
    /// What takes the rest back.
    pub(crate) then: &'static [&'static str],
}

const DIRECTLY: &str = "exec \"$@\"";

/// What is mended by what the doctor prints.
const MENDED: Wrong = Wrong {
    check: "",
    level: "warning",
    subject: "eth0",
    by: &[],
    through: DIRECTLY,
    others: &[],
    mends: true,
    then: &[],
};

/// What is wrong with whoever looks.
const OBSERVER: Wrong = Wrong {
    subject: "",
    mends: false,
    ..MENDED
};

pub(crate) const WRONGS: &[Wrong] = &[
    Wrong {
        check: "capabilities",
        level: "failure",
        through: "exec setpriv --bounding-set=-net_raw \"$@\"",
        others: &["filter"],
        ..OBSERVER
    },
    Wrong {
        check: "bpffs",
        through: "exec unshare -m sh -c 'umount -l /sys/fs/bpf && exec \"$0\" \"$@\"' \"$@\"",
        ..OBSERVER
    },
    Wrong {
        check: "bpffs",
        level: "failure",
        through: "exec \"$@\" --pin-dir /tmp/no-bpffs",
        ..OBSERVER
    },
    Wrong {
        check: "manager",
        subject: "lo",
        through: "exec unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/netif/links && \
                  echo ADMIN_STATE=configured >/run/systemd/netif/links/1 && exec \"$0\" \"$@\"' \"$@\"",
        ..OBSERVER
    },
    Wrong {
        check: "interface",
        level: "failure",
        by: &["ip link set dev eth0 down"],
        others: &["filter"],
        ..MENDED
    },
    Wrong {
        check: "bridge",
        by: &[
            "ip link add br0 type bridge ageing_time 10",
            "ip link set dev eth0 master br0",
            "ip link set dev br0 up",
        ],
        then: &["ip link del br0"],
        ..MENDED
    },
    Wrong {
        check: "bridge",
        by: &[
            "ip link add br0 type bridge stp_state 1",
            "ip link set dev eth0 master br0",
            "ip link set dev br0 up",
        ],
        then: &["ip link del br0"],
        ..MENDED
    },
    Wrong {
        check: "bridge",
        by: &[
            "ip link add br0 type bridge mcast_querier 1",
            "ip link set dev eth0 master br0",
            "ip link set dev br0 up",
        ],
        then: &["ip link del br0"],
        ..MENDED
    },
    Wrong {
        check: "mtu",
        level: "failure",
        by: &["ip link set dev eth0 mtu 1200"],
        // IPv6 is off then.
        others: &["interface"],
        ..MENDED
    },
    Wrong {
        check: "offloads",
        by: &["ethtool -K eth0 tx on"],
        ..MENDED
    },
    Wrong {
        check: "vlan",
        level: "failure",
        by: &["ethtool -K eth0 rxvlan on"],
        ..MENDED
    },
    Wrong {
        check: "address",
        level: "failure",
        subject: "",
        by: &["ip address add 10.77.64.1/16 dev eth0"],
        ..MENDED
    },
    Wrong {
        check: "arp_ignore",
        subject: "v0",
        by: &["sysctl -qw net.ipv4.conf.all.arp_ignore=0"],
        then: &["sysctl -qw net.ipv4.conf.all.arp_ignore=1"],
        ..MENDED
    },
    Wrong {
        check: "arp_ignore",
        level: "failure",
        subject: "v0",
        by: &[
            "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
            "sysctl -qw net.ipv4.conf.v0.arp_ignore=0",
            "ip address add 10.77.0.77/16 dev v0 noprefixroute",
        ],
        then: &[
            "ip address del 10.77.0.77/16 dev v0",
            "sysctl -qw net.ipv4.conf.all.arp_ignore=1",
        ],
        ..MENDED
    },
    Wrong {
        check: "arp_announce",
        by: &["sysctl -qw net.ipv4.conf.all.arp_announce=0"],
        then: &["sysctl -qw net.ipv4.conf.all.arp_announce=2"],
        ..MENDED
    },
    Wrong {
        check: "accept_local",
        subject: "v0",
        by: &[
            "sysctl -qw net.ipv4.conf.v0.arp_ignore=0",
            "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
            "sysctl -qw net.ipv4.conf.v0.accept_local=1",
        ],
        others: &["arp_ignore"],
        then: &["sysctl -qw net.ipv4.conf.all.arp_ignore=1"],
        ..MENDED
    },
    Wrong {
        check: "rp_filter",
        by: &[
            "ip address add 192.168.77.1/24 dev v0",
            "sysctl -qw net.ipv4.conf.eth0.rp_filter=1",
        ],
        then: &["ip address del 192.168.77.1/24 dev v0"],
        ..MENDED
    },
    Wrong {
        check: "nonlocal_bind",
        subject: "",
        by: &["sysctl -qw net.ipv6.ip_nonlocal_bind=0"],
        ..MENDED
    },
    Wrong {
        check: "firewall",
        level: "failure",
        subject: "",
        by: &[
            "nft add table netdev t",
            "nft add chain netdev t c '{ type filter hook egress device eth0 priority 0; }'",
            "nft add rule netdev t c ip protocol 112 drop",
        ],
        then: &["nft delete table netdev t"],
        ..MENDED
    },
    Wrong {
        check: "firewall",
        level: "failure",
        subject: "",
        by: &[
            "nft add table inet t",
            "nft add chain inet t c '{ type filter hook output priority 0; }'",
            "nft add rule inet t c udp dport 7780-7790 counter drop",
        ],
        then: &["nft delete table inet t"],
        ..MENDED
    },
    Wrong {
        check: "firewall",
        subject: "",
        by: &[
            "nft add table inet t",
            "nft add chain inet t c '{ type filter hook input priority 0; policy drop; }'",
        ],
        then: &["nft delete table inet t"],
        ..MENDED
    },
];
