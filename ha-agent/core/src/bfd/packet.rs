//! Control packets to octets and back (RFC 5880 sections 4.1 and 6.8.6).

use core::num::{NonZeroU8, NonZeroU32};

use ha_common::wire::bfd::{
    Control, Diagnostic, FLAG_AUTHENTICATION, FLAG_DEMAND, FLAG_FINAL, FLAG_MULTIPOINT, FLAG_POLL,
    HOP_LIMIT, State, VERSION,
};

use super::{error::Discard, timers::Micros};

/// The least Length with authentication: type and length of its section (RFC 5880 section 6.8.6).
const AUTHENTICATED_LEN: u8 = Control::LEN as u8 + 2;

/// By what a packet is assigned to its session (RFC 5880 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// This number of ours alone: address and interface of the sender may have changed.
    Discriminator(NonZeroU32),
    /// The sender does not know our number yet: its address and the interface.
    Source,
}

/// A control packet that has passed all checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Why the sender's session last changed; `None` for a reserved number.
    pub diagnostic: Option<Diagnostic>,
    /// The sender's state.
    pub state: State,
    /// The sender wants an answer at once.
    pub is_poll: bool,
    /// This is that answer.
    pub is_final: bool,
    /// The sender wants no periodic packets while both are Up.
    pub is_demand: bool,
    /// Intervals after which a silent sender is taken for down.
    pub detect_mult: NonZeroU8,
    /// The sender's number for the session.
    pub my_discriminator: NonZeroU32,
    /// The receiver's number for it, if the sender knows that.
    pub your_discriminator: Option<NonZeroU32>,
    /// The least time between packets that the sender would like to send.
    pub desired_min_tx: Micros,
    /// The least time between packets that the sender can take; zero for none at all.
    pub required_min_rx: Micros,
    /// The least time between echo packets that the sender can loop; zero for none at all.
    pub required_min_echo_rx: Micros,
}

impl Packet {
    /// Checks a UDP payload that came with this TTL or hop limit, by the rules of RFC 5880 section 6.8.6 in
    /// their order. `find` says which session a key belongs to.
    ///
    /// # Errors
    /// [`Discard`] names the rule that was broken.
    pub fn decode<S>(
        payload: &[u8],
        hop_limit: u8,
        find: impl FnOnce(Key) -> Option<S>,
    ) -> Result<(S, Self), Discard> {
        let len = payload.len();
        if hop_limit != HOP_LIMIT {
            return Err(Discard::HopLimit { found: hop_limit });
        }
        let Some(octets) = payload.first_chunk() else {
            return Err(Discard::Incomplete { len });
        };
        let control = Control::from_octets(octets);
        if control.version() != VERSION {
            return Err(Discard::Version {
                found: control.version(),
            });
        }
        let is_authenticated = control.has(FLAG_AUTHENTICATION);
        let least = if is_authenticated {
            AUTHENTICATED_LEN
        } else {
            Control::LEN as u8
        };
        let found = control.length;
        if found < least {
            return Err(Discard::TooShort { found, least });
        }
        if usize::from(found) > len {
            return Err(Discard::TooLong { found, len });
        }
        let detect_mult = NonZeroU8::new(control.detect_mult).ok_or(Discard::ZeroMultiplier)?;
        if control.has(FLAG_MULTIPOINT) {
            return Err(Discard::Multipoint);
        }
        let my_discriminator =
            discriminator(control.my_discriminator).ok_or(Discard::ZeroDiscriminator)?;
        let your_discriminator = discriminator(control.your_discriminator);
        let state = control.state();
        let session = match your_discriminator {
            Some(found) => {
                find(Key::Discriminator(found)).ok_or(Discard::UnknownDiscriminator { found })?
            }
            None => match state {
                State::Init | State::Up => return Err(Discard::NoDiscriminator { state }),
                State::AdminDown | State::Down => find(Key::Source).ok_or(Discard::NoSession)?,
            },
        };
        if is_authenticated {
            return Err(Discard::Authentication);
        }
        let packet = Self {
            diagnostic: Diagnostic::from_bits(control.diagnostic()),
            state,
            is_poll: control.has(FLAG_POLL),
            is_final: control.has(FLAG_FINAL),
            is_demand: control.has(FLAG_DEMAND),
            detect_mult,
            my_discriminator,
            your_discriminator,
            desired_min_tx: Micros::from_wire(control.desired_min_tx),
            required_min_rx: Micros::from_wire(control.required_min_rx),
            required_min_echo_rx: Micros::from_wire(control.required_min_echo_rx),
        };
        Ok((session, packet))
    }

    /// The UDP payload. A reserved diagnostic is sent as none.
    #[must_use]
    pub fn encode(&self) -> [u8; Control::LEN] {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let mut control = Control {
            detect_mult: self.detect_mult.get(),
            length: Control::LEN as u8,
            my_discriminator: self.my_discriminator.get().to_be_bytes(),
            your_discriminator: self
                .your_discriminator
                .map_or(0, NonZeroU32::get)
                .to_be_bytes(),
            desired_min_tx: self.desired_min_tx.to_wire(),
            required_min_rx: self.required_min_rx.to_wire(),
            required_min_echo_rx: self.required_min_echo_rx.to_wire(),
            ..Control::default()
        };
        control.set_diagnostic(self.diagnostic.unwrap_or_default());
        control.set_state(
            self.state,
            flag(self.is_poll, FLAG_POLL)
                | flag(self.is_final, FLAG_FINAL)
                | flag(self.is_demand, FLAG_DEMAND),
        );
        control.octets()
    }
}

fn discriminator(octets: [u8; 4]) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::from_be_bytes(octets))
}
