//! BFD control packets (RFC 5880 section 4.1), as plain BFD (RFC 5881) and seamless BFD (RFC 7880 and
//! 7881) have them.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                       My Discriminator                        |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      Your Discriminator                       |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                    Desired Min TX Interval                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                   Required Min RX Interval                    |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                 Required Min Echo RX Interval                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use core::mem::{align_of, size_of};

/// UDP destination of single-hop control packets (RFC 5881 section 4).
pub const PORT: u16 = 3784;
/// UDP destination of single-hop echo packets (RFC 5881 section 4).
pub const ECHO_PORT: u16 = 3785;
/// UDP destination of requests of seamless BFD, source of its replies (RFC 7881 section 3).
pub const SEAMLESS_PORT: u16 = 7784;
/// The only TTL and hop limit that is sent and accepted (RFC 5881 section 5, RFC 7881 section 3).
pub const HOP_LIMIT: u8 = 255;

/// Protocol version (RFC 5880 section 4.1).
pub const VERSION: u8 = 1;

/// Poll (RFC 5880 section 4.1), a bit of [`Control::state_flags`].
pub const FLAG_POLL: u8 = 1 << 5;
/// Final.
pub const FLAG_FINAL: u8 = 1 << 4;
/// Control plane independent.
pub const FLAG_INDEPENDENT: u8 = 1 << 3;
/// Authentication present.
pub const FLAG_AUTHENTICATION: u8 = 1 << 2;
/// Demand mode. Set in requests of seamless BFD and clear in its replies (RFC 7880 section 7).
pub const FLAG_DEMAND: u8 = 1 << 1;
/// Multipoint: reserved, must be zero.
pub const FLAG_MULTIPOINT: u8 = 1;

/// What a system says of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Held down by the operator, which is no failure.
    #[default]
    AdminDown = 0,
    /// Down.
    Down = 1,
    /// The other system is heard, and does not yet hear this one.
    Init = 2,
    /// Up.
    Up = 3,
}

impl State {
    /// The state behind the two bits of the field.
    #[must_use]
    #[inline(always)]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::AdminDown,
            1 => Self::Down,
            2 => Self::Init,
            _ => Self::Up,
        }
    }

    /// The name in logs and in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdminDown => "admin_down",
            Self::Down => "down",
            Self::Init => "init",
            Self::Up => "up",
        }
    }
}

/// Why a session last left Up (RFC 5880 section 4.1); numbers above are reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Diagnostic {
    /// No diagnostic.
    #[default]
    None = 0,
    /// Control detection time expired.
    DetectionTimeExpired = 1,
    /// Echo function failed.
    EchoFailed = 2,
    /// Neighbour signalled session down.
    NeighbourDown = 3,
    /// Forwarding plane reset.
    ForwardingPlaneReset = 4,
    /// Path down.
    PathDown = 5,
    /// Concatenated path down.
    ConcatenatedPathDown = 6,
    /// Administratively down.
    AdministrativelyDown = 7,
    /// Reverse concatenated path down.
    ReverseConcatenatedPathDown = 8,
}

impl Diagnostic {
    /// The name in logs and in the status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::DetectionTimeExpired => "detection_time_expired",
            Self::EchoFailed => "echo_failed",
            Self::NeighbourDown => "neighbour_down",
            Self::ForwardingPlaneReset => "forwarding_plane_reset",
            Self::PathDown => "path_down",
            Self::ConcatenatedPathDown => "concatenated_path_down",
            Self::AdministrativelyDown => "administratively_down",
            Self::ReverseConcatenatedPathDown => "reverse_concatenated_path_down",
        }
    }

    /// The diagnostic behind a number, `None` if it is reserved.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::None,
            1 => Self::DetectionTimeExpired,
            2 => Self::EchoFailed,
            3 => Self::NeighbourDown,
            4 => Self::ForwardingPlaneReset,
            5 => Self::PathDown,
            6 => Self::ConcatenatedPathDown,
            7 => Self::AdministrativelyDown,
            8 => Self::ReverseConcatenatedPathDown,
            _ => return None,
        })
    }
}

/// The mandatory section of a control packet. All numbers in network order, times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(2))]
pub struct Control {
    /// Version (3 bits) and diagnostic (5).
    pub version_diagnostic: u8,
    /// State (2 bits) and the `FLAG_*` bits.
    pub state_flags: u8,
    /// Intervals after which a silent sender is taken for down.
    pub detect_mult: u8,
    /// Octets of the packet, authentication included.
    pub length: u8,
    /// The sender's number for the session, not zero.
    pub my_discriminator: [u8; 4],
    /// The receiver's number for the session, zero while it is not known.
    pub your_discriminator: [u8; 4],
    /// The least time between packets that the sender would like to send.
    pub desired_min_tx: [u8; 4],
    /// The least time between packets that the sender can take; zero for none at all.
    pub required_min_rx: [u8; 4],
    /// The least time between echo packets that the sender can take; zero for none at all.
    pub required_min_echo_rx: [u8; 4],
}

impl Control {
    /// Length in octets.
    pub const LEN: usize = size_of::<Self>();

    /// The section as it is on the wire.
    #[must_use]
    pub const fn octets(&self) -> [u8; Self::LEN] {
        let words = [
            [
                self.version_diagnostic,
                self.state_flags,
                self.detect_mult,
                self.length,
            ],
            self.my_discriminator,
            self.your_discriminator,
            self.desired_min_tx,
            self.required_min_rx,
            self.required_min_echo_rx,
        ];
        let mut octets = [0; Self::LEN];
        let mut at = 0;
        while at < Self::LEN {
            octets[at] = words[at / 4][at % 4];
            at += 1;
        }
        octets
    }

    /// The section in octets from the wire, which may say anything.
    #[must_use]
    pub const fn from_octets(octets: &[u8; Self::LEN]) -> Self {
        const fn word(octets: &[u8; Control::LEN], at: usize) -> [u8; 4] {
            [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]
        }
        Self {
            version_diagnostic: octets[0],
            state_flags: octets[1],
            detect_mult: octets[2],
            length: octets[3],
            my_discriminator: word(octets, 4),
            your_discriminator: word(octets, 8),
            desired_min_tx: word(octets, 12),
            required_min_rx: word(octets, 16),
            required_min_echo_rx: word(octets, 20),
        }
    }

    /// Protocol version.
    #[must_use]
    #[inline(always)]
    pub const fn version(&self) -> u8 {
        self.version_diagnostic >> 5
    }

    /// Number of the diagnostic.
    #[must_use]
    #[inline(always)]
    pub const fn diagnostic(&self) -> u8 {
        self.version_diagnostic & 0x1f
    }

    /// State.
    #[must_use]
    #[inline(always)]
    pub const fn state(&self) -> State {
        State::from_bits(self.state_flags >> 6)
    }

    /// Whether one of these `FLAG_*` bits is set.
    #[must_use]
    #[inline(always)]
    pub const fn has(&self, flags: u8) -> bool {
        self.state_flags & flags != 0
    }

    /// Sets version and diagnostic.
    #[inline(always)]
    pub const fn set_diagnostic(&mut self, diagnostic: Diagnostic) {
        self.version_diagnostic = VERSION << 5 | diagnostic as u8;
    }

    /// Sets state and flags.
    #[inline(always)]
    pub const fn set_state(&mut self, state: State, flags: u8) {
        self.state_flags = (state as u8) << 6 | flags;
    }

    /// Whether a seamless BFD packet in a UDP payload of `payload_len` octets passes the checks of RFC 5880
    /// section 6.8.6 that need no session. Authentication is not spoken, so a packet with it is none of
    /// ours.
    #[must_use]
    #[inline(always)]
    pub const fn is_sound(&self, payload_len: usize) -> bool {
        self.version() == VERSION
            && self.length as usize >= Self::LEN
            && self.length as usize <= payload_len
            && self.detect_mult != 0
            && !self.has(FLAG_MULTIPOINT | FLAG_AUTHENTICATION)
            && u32::from_ne_bytes(self.my_discriminator) != 0
            && u32::from_ne_bytes(self.your_discriminator) != 0
    }
}

const _: () = {
    assert!(Control::LEN == 24);
    assert!(align_of::<Control>() == 2);
};

#[cfg(test)]
mod tests {
    use super::{
        Control, Diagnostic, FLAG_AUTHENTICATION, FLAG_DEMAND, FLAG_MULTIPOINT, FLAG_POLL, State,
        VERSION,
    };

    fn request() -> Control {
        Control {
            version_diagnostic: VERSION << 5,
            state_flags: (State::Up as u8) << 6 | FLAG_DEMAND,
            detect_mult: 3,
            length: 24,
            my_discriminator: [0, 0, 0, 1],
            your_discriminator: [0, 0, 0, 2],
            ..Control::default()
        }
    }

    #[test]
    fn fields_of_the_first_word() {
        let mut packet = request();
        assert_eq!((packet.version(), packet.diagnostic()), (1, 0));
        assert_eq!(packet.state(), State::Up);
        assert!(packet.has(FLAG_DEMAND) && !packet.has(FLAG_POLL));
        packet.set_diagnostic(Diagnostic::AdministrativelyDown);
        packet.set_state(State::AdminDown, FLAG_POLL);
        assert_eq!(packet.version_diagnostic, 0b001_00111);
        assert_eq!(packet.state_flags, 0b00_100000);
    }

    #[test]
    fn every_check_is_made() {
        assert!(request().is_sound(24));
        assert!(request().is_sound(40), "more than the packet may follow");
        assert!(!request().is_sound(23), "longer than its payload");
        let broken = |change: fn(&mut Control)| {
            let mut packet = request();
            change(&mut packet);
            !packet.is_sound(24)
        };
        assert!(broken(|packet| packet.version_diagnostic = 2 << 5));
        assert!(broken(|packet| packet.length = 23));
        assert!(broken(|packet| packet.detect_mult = 0));
        assert!(broken(|packet| packet.state_flags |= FLAG_MULTIPOINT));
        assert!(broken(|packet| packet.state_flags |= FLAG_AUTHENTICATION));
        assert!(broken(|packet| packet.my_discriminator = [0; 4]));
        assert!(broken(|packet| packet.your_discriminator = [0; 4]));
    }

    #[test]
    fn octets_and_fields_are_the_same() {
        let octets = core::array::from_fn(|at| at as u8);
        let packet = Control::from_octets(&octets);
        assert_eq!(packet.octets(), octets);
        assert_eq!((packet.detect_mult, packet.length), (2, 3));
        assert_eq!(packet.my_discriminator, [4, 5, 6, 7]);
        assert_eq!(packet.required_min_echo_rx, [20, 21, 22, 23]);
    }

    #[test]
    fn states_and_diagnostics_are_their_numbers() {
        for state in [State::AdminDown, State::Down, State::Init, State::Up] {
            assert_eq!(State::from_bits(state as u8), state);
        }
        for bits in 0..=8 {
            assert_eq!(Diagnostic::from_bits(bits).map(|d| d as u8), Some(bits));
        }
        assert_eq!(Diagnostic::from_bits(9), None);
    }
}
