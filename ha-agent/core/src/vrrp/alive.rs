//! What is known of peers beside their advertisements: whether they live, and whether they are Active.

use core::net::IpAddr;

/// What liveness says of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liveness {
    /// It answers, and its lease is valid.
    Up,
    /// Nothing is heard of it, over any path.
    Lost,
    /// It answers that its lease has lapsed: its kernel keeps it silent.
    Down,
    /// Nothing is heard of it, over any path, and what was heard last were no answers: it did not hear this
    /// node, and would not hear either that it is replaced. Only its advertisements tell whether it lives.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    peer: IpAddr,
    liveness: Liveness,
    /// It has said that it is not Active, since the question was put.
    is_idle: bool,
}

/// The peers of which liveness has said something. A peer is here by each address from which it
/// advertises.
#[derive(Clone, Debug, Default)]
pub(super) struct Alive(Vec<Watched>);

impl Alive {
    pub(super) fn note(&mut self, peer: IpAddr, liveness: Liveness) {
        self.forget(peer);
        self.0.push(Watched {
            peer,
            liveness,
            is_idle: false,
        });
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&mut self, peer: IpAddr) {
        self.0.retain(|watched| watched.peer != peer);
    }

    pub(super) fn is_up(&self, peer: IpAddr) -> bool {
        let up = |watched: &Watched| watched.liveness == Liveness::Up && watched.peer == peer;
        self.0.iter().any(up)
    }

    /// Takes none for idle any more: what they said before is of another time.
    pub(super) fn doubt(&mut self) {
        for watched in &mut self.0 {
            watched.is_idle = false;
        }
    }

    pub(super) fn set_idle(&mut self, peer: IpAddr) {
        for watched in &mut self.0 {
            watched.is_idle |= watched.peer == peer;
        }
    }

    /// The peers that live, and may be Active for all that is known.
    pub(super) fn doubtful(&self) -> Vec<IpAddr> {
        let doubtful = |watched: &&Watched| watched.liveness == Liveness::Up && !watched.is_idle;
        let peers = self.0.iter().filter(doubtful);
        peers.map(|watched| watched.peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::{Alive, IpAddr, Liveness};

    const fn peer(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
    }

    #[test]
    fn only_who_lives_and_has_not_denied_it_may_be_active() {
        let mut alive = Alive::default();
        for (last, liveness) in [(1, Liveness::Up), (2, Liveness::Lost), (3, Liveness::Down)] {
            alive.note(peer(last), liveness);
            assert_eq!(alive.is_up(peer(last)), liveness == Liveness::Up);
        }
        assert!(!alive.is_up(peer(4)), "of whom nothing is known");
        assert_eq!(alive.doubtful(), [peer(1)]);
        alive.set_idle(peer(1));
        assert!(alive.doubtful().is_empty());
        alive.doubt();
        assert_eq!(alive.doubtful(), [peer(1)]);
        alive.set_idle(peer(1));
        alive.note(peer(1), Liveness::Up);
        assert_eq!(alive.doubtful(), [peer(1)], "a new life");
    }
}
