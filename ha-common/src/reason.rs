//! Every way a frame for a virtual IP can end: counter, metric label, row of the documentation and
//! fixture, from one list.

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
}

impl Verdict {
    /// Slots by group in `ha_stat`; a power of two with room for more.
    pub const COUNT: u32 = 8;

    /// All verdicts.
    pub const ALL: [Self; 5] = [
        Self::Passed,
        Self::Answered,
        Self::Delivered,
        Self::Forwarded,
        Self::Dropped,
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
                match self { $(Self::$name => concat!($($doc,)+),)+ }
            }
        }
    };
}

reasons! {
    /// ARP request for a virtual IP, answered.
    ArpAnswered = 0, "arp_answered", Answered;
    /// Neighbour solicitation for a virtual IP, answered.
    NdAnswered = 1, "nd_answered", Answered;
    /// ICMP echo request to a virtual IP, answered.
    EchoAnswered = 2, "echo_answered", Answered;
    /// Other traffic to a virtual IP, delivered to the local stack.
    DeliveredLocal = 3, "delivered_local", Delivered;
}

/// Slots in `ha_reason`; room for more than [`Reason::ALL`] has.
pub const MAX_REASONS: u32 = 64;

const _: () = {
    assert!(Reason::ALL.len() <= MAX_REASONS as usize);
    let mut i = 0;
    while i < Reason::ALL.len() {
        assert!(Reason::ALL[i] as usize == i);
        i += 1;
    }
};
