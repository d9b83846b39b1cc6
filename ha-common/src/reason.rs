//! Every way a frame for a virtual IP, from one, or about who has it, can end: counter, metric label, row of the
//! documentation and fixture, from one list.

/// What became of a frame, as `ha_stat` counts it by group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Verdict {
    /// Handed to the kernel's stack as if this program were not there.
    Passed = 0,
    /// Answered in XDP.
    Answered = 1,
    /// Delivered to where the group's traffic goes.
    Delivered = 2,
    /// Sent on to the Active peer.
    Forwarded = 3,
    /// Dropped.
    Dropped = 4,
    /// Taken in by the data path itself.
    Taken = 5,
    /// One of this host's own, kept from being sent.
    Withheld = 6,
}

impl Verdict {
    /// Slots by group in `ha_stat`; a power of two with room for more.
    pub const COUNT: u32 = 8;

    /// All verdicts.
    pub const ALL: [Self; 7] = [
        Self::Passed,
        Self::Answered,
        Self::Delivered,
        Self::Forwarded,
        Self::Dropped,
        Self::Taken,
        Self::Withheld,
    ];

    /// The name in the status and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Answered => "answered",
            Self::Delivered => "delivered",
            Self::Forwarded => "forwarded",
            Self::Dropped => "dropped",
            Self::Taken => "taken",
            Self::Withheld => "withheld",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $label:literal, $verdict:ident;)+) => {
        /// Why a frame for a virtual IP ended as it did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Reason {
            /// All reasons, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The label in the status, in metrics and in the documentation.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// What becomes of the frame.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$name => Verdict::$verdict,)+ }
            }

            /// What it means, for the documentation and `status`.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)+).trim_ascii_start(),)+ }
            }
        }
    };
}

reasons! {
    /// ARP request for a virtual IP, answered with the group's MAC.
    ArpAnswered = 0, "arp_answered", Answered;
    /// Neighbour solicitation for a virtual IP, answered with the group's MAC.
    NdAnswered = 1, "nd_answered", Answered;
    /// ICMP or ICMPv6 echo request to a virtual IP, answered.
    EchoAnswered = 2, "echo_answered", Answered;
    /// Traffic to a virtual IP, delivered to the local stack.
    DeliveredLocal = 3, "delivered_local", Delivered;
    /// Stale traffic: the frame reached this node although it is not Active, and was sent on to the
    /// Active peer.
    ForwardedPeer = 4, "forwarded_peer", Forwarded;
    /// The owner announces a virtual IP (ARP reply or neighbour advertisement); left to the stack,
    /// whose neighbour cache may hold the address.
    AnnouncementSeen = 5, "announcement_seen", Passed;
    /// ARP reply to a question that was asked with a virtual IP as the sender; left to the stack.
    ArpReply = 6, "arp_reply", Passed;
    /// The frame's destination is another station's MAC: flooded by a switch, or seen in promiscuous
    /// mode. Left alone.
    ForeignMac = 7, "foreign_mac", Passed;
    /// The owner announces a virtual IP with an ARP request. Kept from the stack, which has the
    /// address too and could answer.
    AnnouncementRequest = 8, "announcement_request", Dropped;
    /// Another MAC announces a virtual IP that this node has: a second owner, or a stranger with the
    /// same address.
    ConflictingOwner = 9, "conflicting_owner", Dropped;
    /// ARP request or neighbour solicitation, not answered: the group's role is Backup.
    SilentBackup = 10, "silent_backup", Dropped;
    /// ARP request or neighbour solicitation, not answered: the group is being taken over, and the
    /// former owner still answers.
    SilentClaiming = 11, "silent_claiming", Dropped;
    /// ARP request or neighbour solicitation, not answered: the lease has lapsed, or the kernel
    /// demoted the group.
    SilentFenced = 12, "silent_fenced", Dropped;
    /// ARP request, neighbour solicitation or stale traffic on an interface on which the group is not
    /// served.
    WrongInterface = 13, "wrong_interface", Dropped;
    /// The virtual IP names a group that is not in use: the maps contradict each other.
    GroupUnused = 14, "group_unused", Dropped;
    /// ARP for a virtual IP with types or lengths that are not Ethernet's and IPv4's, or from a sender
    /// that cannot be a station.
    ArpMalformed = 15, "arp_malformed", Dropped;
    /// Neighbour discovery for a virtual IP that fails a check of RFC 4861 section 7.1, or with more
    /// than 512 octets of options.
    NdMalformed = 16, "nd_malformed", Dropped;
    /// Neighbour discovery for a virtual IP with a hop limit other than 255: it came through a router.
    NdHopLimit = 17, "nd_hop_limit", Dropped;
    /// Neighbour discovery for a virtual IP with a wrong checksum.
    NdChecksum = 18, "nd_checksum", Dropped;
    /// Neighbour solicitation whose frame could not be resized to the answer's length.
    NdNoRoom = 19, "nd_no_room", Dropped;
    /// IP packet for a virtual IP whose version or lengths contradict each other or the frame.
    IpMalformed = 20, "ip_malformed", Dropped;
    /// IPv4 packet with a wrong header checksum that was to be answered or sent on.
    IpChecksum = 21, "ip_checksum", Dropped;
    /// Echo request from an address or a MAC that cannot be a single host's.
    EchoSource = 22, "echo_source", Dropped;
    /// Packet for a virtual IP in a link-layer broadcast or multicast (RFC 1122 section 3.3.6).
    LinkMulticast = 23, "link_multicast", Dropped;
    /// The virtual IP names a delivery target that this program does not know.
    DeliverUnknown = 24, "deliver_unknown", Dropped;
    /// Stale traffic while no Active peer is known.
    NoPeer = 25, "no_peer", Dropped;
    /// Traffic for a group that this node was Active for until the lease lapsed or the kernel demoted
    /// it, with no peer to send it to.
    Fenced = 26, "fenced", Dropped;
    /// Stale traffic for a group that is configured not to forward it.
    StaleRefused = 27, "stale_refused", Dropped;
    /// Stale traffic that a peer sent on to this node: not sent on again.
    SplitHorizon = 28, "split_horizon", Dropped;
    /// Stale traffic for an Active peer whose MAC is not known.
    PeerUnset = 29, "peer_unset", Dropped;
    /// Stale traffic for an Active peer that is reached over another interface.
    PeerElsewhere = 30, "peer_elsewhere", Dropped;
    /// Stale traffic whose TTL or hop limit does not allow another hop.
    TtlExpired = 31, "ttl_expired", Dropped;
    /// Advertisement that outranks this node, which was Active or claimed to be: the group was demoted
    /// before the agent had read it. Left to the stack.
    Demoted = 32, "demoted", Passed;
    /// Liveness request (S-BFD, RFC 7880) for this node or one of its groups, answered.
    LiveAnswered = 33, "live_answered", Answered;
    /// Liveness reply of a peer, noted for the agent.
    LiveReply = 34, "live_reply", Taken;
    /// Liveness request or reply with a TTL or hop limit other than 255: it came through a router.
    LiveHopLimit = 35, "live_hop_limit", Dropped;
    /// Liveness request or reply that fails a check of RFC 5880 section 6.8.6, or that has the demand bit
    /// of the other.
    LiveMalformed = 36, "live_malformed", Dropped;
    /// Liveness request for a discriminator of this node from an address that is no configured peer's.
    LiveStranger = 37, "live_stranger", Dropped;
    /// BFD echo packet (RFC 5880 section 6.4) of a configured neighbour, sent back to it.
    BfdEchoLooped = 38, "bfd_echo_looped", Answered;
    /// BFD echo packet of a configured neighbour with a TTL or hop limit other than 255: it was looped
    /// already, or came through a router.
    BfdEchoHopLimit = 39, "bfd_echo_hop_limit", Dropped;
    /// BFD echo packet of a configured neighbour whose lengths contradict each other, or from a MAC that
    /// cannot be a single host's.
    BfdEchoMalformed = 40, "bfd_echo_malformed", Dropped;
    /// IP packet of this host with a virtual IP as its source, not sent: this node is not Active for
    /// the group, nor about to be.
    EgressIp = 41, "egress_ip", Withheld;
    /// ARP packet of this host with a virtual IP as its sender, not sent: this node is not Active for
    /// the group. One that claims it may ask for neighbours.
    EgressArp = 42, "egress_arp", Withheld;
    /// Neighbour advertisement of a virtual IP, or neighbour discovery from one, not sent: this node is
    /// not Active for the group.
    EgressNd = 43, "egress_nd", Withheld;
    /// Packet of this host from a virtual IP whose group is not in use, not sent: the maps contradict
    /// each other.
    EgressUnused = 44, "egress_unused", Withheld;
    /// ARP request or neighbour solicitation while the group changes hands: this node has let go, and handed it on
    /// to the peer that takes over.
    QuestionForwarded = 45, "question_forwarded", Forwarded;
    /// ARP request or neighbour solicitation that a peer handed on, and that this node has answered itself or the
    /// peer should have dropped; or that this node has answered on the interface from which the group has just moved.
    QuestionTwice = 46, "question_twice", Dropped;
    /// Traffic to a virtual IP that begins something new, just before this node lets go: handed on to the peer that is
    /// about to take over.
    NewWorkForwarded = 47, "new_work_forwarded", Forwarded;
    /// Traffic to a virtual IP of a guest, redirected to the guest's interface.
    DeliveredGuest = 50, "delivered_guest", Delivered;
    /// Traffic to a virtual IP of a guest, passed to the bridge or macvlan that leads to it: the kernel cannot
    /// redirect to the guest's interface, or not a frame of several buffers.
    DeliveredBridge = 51, "delivered_bridge", Delivered;
    /// Traffic to a virtual IP of a guest, passed to the stack, whose routes lead to it: the kernel cannot redirect
    /// to the guest's interface, or not a frame of several buffers.
    DeliveredRoute = 52, "delivered_route", Delivered;
    /// Traffic to a virtual IP of a guest to which no way leads at present: its interface is gone or down.
    GuestGone = 53, "guest_gone", Dropped;
    /// Traffic to a virtual IP of a guest that is longer than the guest's interface takes, or has no room for its
    /// tags.
    GuestTooLong = 54, "guest_too_long", Dropped;
    /// Traffic to a virtual IP of a guest on an interface on which the group is not served; left to the stack.
    GuestElsewhere = 55, "guest_elsewhere", Passed;
    /// Of the frames redirected to a guest, one that its interface did not take: its queue was full, or it went
    /// away in this moment. Counted by frame, not by octets.
    GuestLost = 56, "guest_lost", Dropped;
    /// Packet of a program on this host to a virtual IP that another node has: sent there, and not to this host
    /// itself.
    LocalClient = 57, "local_client", Forwarded;
    /// Packet of a program on this host to a virtual IP that another node has, while it is not known at which MAC
    /// that is.
    LocalNoPeer = 58, "local_no_peer", Dropped;
    /// ARP request or neighbour solicitation to everybody by a port that its bond does not use: the port in use gets it as
    /// well.
    IdlePort = 59, "idle_port", Dropped;
}

impl Reason {
    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|reason| *reason as u32 == number)
    }
}

/// Slots in `ha_reason`; room for more than [`Reason::ALL`] has.
pub const MAX_REASONS: u32 = 64;

const _: () = {
    let mut next = 0;
    let mut i = 0;
    while i < Reason::ALL.len() {
        let number = Reason::ALL[i] as u32;
        assert!(next <= number && number < MAX_REASONS);
        next = number + 1;
        i += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn labels_are_unique_and_fit_a_metric() {
        for (i, reason) in Reason::ALL.iter().enumerate() {
            let label = reason.label();
            assert!(
                label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{label}"
            );
            assert!(
                Reason::ALL[..i].iter().all(|r| r.label() != label),
                "{label}"
            );
        }
    }

    #[test]
    fn help_is_a_sentence() {
        for reason in Reason::ALL {
            let help = reason.help();
            assert!(help.starts_with(|c: char| c.is_uppercase()), "{help}");
            assert!(help.ends_with('.') && !help.contains("  "), "{help}");
        }
    }
}
