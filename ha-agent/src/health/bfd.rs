//! Whether a BFD session is Up (keepalived's `track_bfd`), and at once that it is not.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Look;
use crate::bfd::Standing;

/// How long a session may take to come Up at first: both sides send a packet each second then.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Bfd {
    /// `None` if there is no such session, which the configuration does not let happen.
    standing: Option<watch::Receiver<Standing>>,
    begun: Instant,
}

impl Bfd {
    pub(super) fn new(standing: Option<&watch::Receiver<Standing>>) -> Self {
        Self {
            standing: standing.cloned(),
            begun: Instant::now(),
        }
    }

    pub(super) fn look(&mut self) -> Look {
        let Some(standing) = &mut self.standing else {
            return Look::fail("there is no such session");
        };
        if standing.has_changed().is_err() {
            return Look::fail("BFD is no longer spoken: its thread has ended");
        }
        let standing = *standing.borrow_and_update();
        match standing {
            Standing::Up => Look::pass("up"),
            Standing::Failed(why) => Look::fail(why.to_string()),
            Standing::Held => Look::nothing("held down by an operator: that says nothing"),
            Standing::Beginning if self.begun.elapsed() < PATIENCE => {
                Look::nothing("has not come up yet")
            }
            Standing::Beginning => Look::fail("does not come up"),
        }
    }

    pub(super) async fn told(&mut self) {
        if let Some(standing) = &mut self.standing
            && standing.changed().await.is_ok()
        {
            return;
        }
        // The sessions have ended.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use ha_core::{bfd::Why, track::Observation};

    use super::{Bfd, Instant, PATIENCE, Standing, watch};

    #[tokio::test]
    async fn it_is_told_of_what_the_session_becomes() {
        let (teller, standing) = watch::channel(Standing::Beginning);
        let mut check = Bfd::new(Some(&standing));
        assert_eq!(check.look().observation, Observation::Nothing);
        for (standing, observation) in [
            (Standing::Up, Observation::Pass),
            (
                Standing::Failed(Why::DetectionTimeExpired),
                Observation::Fail,
            ),
            (Standing::Held, Observation::Nothing),
        ] {
            teller.send_replace(standing);
            check.told().await;
            assert_eq!(check.look().observation, observation, "{standing:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_believed_of_a_thread_that_has_ended() {
        let (teller, standing) = watch::channel(Standing::Up);
        let mut check = Bfd::new(Some(&standing));
        assert_eq!(check.look().observation, Observation::Pass);
        drop(teller);
        assert_eq!(check.look().observation, Observation::Fail);
    }

    #[tokio::test]
    async fn a_session_that_never_comes_up_fails_in_the_end() {
        let (_teller, standing) = watch::channel(Standing::Beginning);
        let mut check = Bfd::new(Some(&standing));
        check.begun = Instant::now().checked_sub(PATIENCE).unwrap();
        assert_eq!(check.look().observation, Observation::Fail);
    }
}
