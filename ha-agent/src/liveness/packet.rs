//! Requests, and what their numbers mean.

use ha_common::{
    abi::SEQUENCE_BITS,
    wire::bfd::{Control, Diagnostic, FLAG_DEMAND, State},
};

use super::Discriminator;

/// Questions about a group have this bit in the sender's discriminator; the answers go through the socket.
const QUESTION: u32 = 1 << 31;
/// Questions about the whole node have this bit, too.
const ABOUT_NODE: u32 = 1 << 30;
/// Bits of the way in a question.
const WAY_BITS: u32 = 8;
/// Sessions begin above zero, which the data path takes for none.
const FIRST_SESSION: u32 = 1 << 8;

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A group of ours, by its slot.
    Group(u32),
    /// Whether the node can be reached; with a number of the asker's.
    Node(u16),
}

/// What a request tells the peer of how this node sees it (RFC 7880 section 7.3.2: the initiator's state).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// It is heard.
    Heard,
    /// Its answers do not arrive, or not yet.
    Unheard,
    /// They do not arrive any more, and this node takes over: the peer is to give way.
    Replaced,
}

/// A request, ready to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request(Control);

/// The upper bits of the discriminators with which a way is probed.
pub(super) const fn session(way: u32) -> u32 {
    FIRST_SESSION + way
}

impl Request {
    /// A probe of a node, whose answer the data path stamps.
    pub(super) fn probe(way: u32, sequence: u8, node: Discriminator, view: View) -> Self {
        let my = session(way) << SEQUENCE_BITS | u32::from(sequence);
        Self::new(my, node, view)
    }

    /// A question whose answer comes to the socket.
    pub(super) fn question(
        way: u32,
        about: About,
        discriminator: Discriminator,
        view: View,
    ) -> Self {
        let about = match about {
            About::Group(group) => group << WAY_BITS,
            About::Node(number) => ABOUT_NODE | u32::from(number) << WAY_BITS,
        };
        let my = QUESTION | about | way;
        Self::new(my, discriminator, view)
    }

    fn new(my: u32, your: Discriminator, view: View) -> Self {
        let mut control = Control {
            detect_mult: 1,
            length: Control::LEN as u8,
            my_discriminator: my.to_be_bytes(),
            your_discriminator: your.get().to_be_bytes(),
            desired_min_tx: 1_000_u32.to_be_bytes(),
            ..Control::default()
        };
        let (state, diagnostic) = match view {
            View::Heard => (State::Up, Diagnostic::None),
            View::Unheard => (State::Down, Diagnostic::None),
            View::Replaced => (State::Down, Diagnostic::DetectionTimeExpired),
        };
        control.set_diagnostic(diagnostic);
        control.set_state(state, FLAG_DEMAND);
        Self(control)
    }

    pub(super) fn octets(&self) -> [u8; Control::LEN] {
        let Control {
            version_diagnostic,
            state_flags,
            detect_mult,
            length,
            ..
        } = self.0;
        let mut octets = [0; Control::LEN];
        octets[..4].copy_from_slice(&[version_diagnostic, state_flags, detect_mult, length]);
        octets[4..8].copy_from_slice(&self.0.my_discriminator);
        octets[8..12].copy_from_slice(&self.0.your_discriminator);
        octets[12..16].copy_from_slice(&self.0.desired_min_tx);
        octets
    }
}

/// What an answer is about, and whether it is Up; `None` for any other packet.
pub(super) fn answer(octets: &[u8], way: u32) -> Option<(About, bool)> {
    let [first, state, _, _, rest @ ..] = octets.get(..Control::LEN)? else {
        return None;
    };
    let your = u32::from_be_bytes(*rest.get(4..)?.first_chunk()?);
    let is_ours = your & QUESTION != 0 && your & ((1 << WAY_BITS) - 1) == way;
    if first >> 5 != ha_common::wire::bfd::VERSION || !is_ours || state & FLAG_DEMAND != 0 {
        return None;
    }
    let number = (your & !(QUESTION | ABOUT_NODE)) >> WAY_BITS;
    let about = if your & ABOUT_NODE == 0 {
        About::Group(number)
    } else {
        About::Node(number as u16)
    };
    Some((about, State::from_bits(state >> 6) == State::Up))
}

#[cfg(test)]
mod tests {
    use super::{About, Discriminator, Request, State, View, answer};

    /// What a reflector makes of a request.
    fn reflected(request: Request, state: State) -> [u8; 24] {
        let mut octets = request.octets();
        octets[1] = (state as u8) << 6;
        octets[4..12].rotate_left(4);
        octets
    }

    #[test]
    fn an_answer_names_its_group() {
        let node = Discriminator::of_node("b");
        let about = About::Group(700);
        let request = Request::question(3, about, node, View::Heard);
        assert_eq!(
            answer(&reflected(request, State::Up), 3),
            Some((about, true))
        );
        let denied = reflected(request, State::AdminDown);
        assert_eq!(answer(&denied, 3), Some((about, false)));
        assert_eq!(answer(&denied, 4), None, "of another way");
        assert_eq!(answer(&request.octets(), 3), None, "not reflected");
        assert_eq!(answer(&denied[..23], 3), None, "cut short");
    }

    #[test]
    fn an_answer_about_the_node_gives_back_its_number() {
        for number in [0, 1, u16::MAX] {
            let about = About::Node(number);
            let request = Request::question(255, about, Discriminator::of_node("b"), View::Heard);
            let reply = reflected(request, State::Up);
            assert_eq!(answer(&reply, 255), Some((about, true)));
        }
    }

    #[test]
    fn an_answer_to_a_probe_is_the_data_paths() {
        let probe = Request::probe(3, 7, Discriminator::of_node("b"), View::Heard);
        assert_eq!(answer(&reflected(probe, State::Up), 3), None);
    }
}
