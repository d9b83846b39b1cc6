//! Named points between two steps, at which the lab's agent can be made to die.
//!
//! A build with the feature `fault-injection` kills itself, as `kill -9` would, when it comes to the point that is
//! named in its environment. In every other build a point is nothing.

/// Declares the points, with their names.
macro_rules! points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A point between two steps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Point {
            $($(#[doc = $doc])+ $point,)+
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// What it is called in the environment.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

points! {
    /// Start: the pin directory is this agent's.
    Locked = "start.locked",
    /// Start: what was found is read, and nothing is changed.
    Found = "start.found",
    /// Start: sockets are open.
    Sockets = "start.sockets",
    /// Start: the elections that go on have advertised.
    Advertised = "start.advertised",
    /// Start: the lease is renewed.
    Renewed = "start.renewed",
    /// Start: the maps of the object are open or made.
    Maps = "start.maps",
    /// Start: the programs are in the kernel and pinned.
    Loaded = "start.loaded",
    /// Start: the data path is replaced, what is around it not.
    Attached = "start.attached",
    /// Start: all programs are replaced.
    Replaced = "start.replaced",
    /// Start: maps, routes and filters are the desired ones.
    Reconciled = "start.reconciled",
    /// Start: the peers are watched.
    Watching = "start.watching",
    /// Start: what other schemas left is gone.
    Alone = "start.alone",
    /// Change of schema: the own maps are made, and empty.
    NewMaps = "schema.maps",
    /// Change of schema: the own maps hold what the others do.
    Carried = "schema.carried",
    /// Change of schema: a second lease is granted.
    Granted = "schema.granted",
    /// Change of schema: the own words say what the others do.
    Worded = "schema.worded",
    /// Change of schema: the links hold the own programs.
    Crossed = "schema.crossed",
    /// Change of schema: the other's lease is given up.
    GivenUp = "schema.given-up",
    /// Switchover, the owner: it has the lowest priority, and nobody has been told.
    Lowered = "owner.lowered",
    /// Switchover, the owner: the heir is told.
    Asked = "owner.asked",
    /// Switchover, the heir: its word says Claiming, and nobody has been told.
    Claiming = "heir.claiming",
    /// Switchover, the heir: it has told the owner that it is ready.
    Ready = "heir.ready",
    /// Switchover, the owner: it hands on to the heir what is new.
    HandsOn = "owner.hands-on",
    /// Switchover, the heir: it has advertised its claim.
    Claimed = "heir.claimed",
    /// Switchover, the owner: its word says Backup, and it has not acknowledged.
    LetGo = "owner.let-go",
    /// Switchover, the owner: it has acknowledged.
    Acknowledged = "owner.acknowledged",
    /// Switchover, the heir: its word says Active, and nobody has been told.
    Active = "heir.active",
    /// Switchover, the heir: it has advertised as the owner.
    Owner = "heir.advertised",
}

/// Names the point at which the agent is to die.
pub const VARIABLE: &str = "HA_FAULT";

/// Dies here, if this is the point.
#[cfg(feature = "fault-injection")]
pub(crate) fn reached(point: Point) {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    if std::env::var(VARIABLE).is_ok_and(|name| name == point.name()) {
        // Nothing of this process runs after it.
        let _ = kill(Pid::this(), Signal::SIGKILL);
    }
}

/// Nothing, in an agent for use.
#[cfg(not(feature = "fault-injection"))]
pub(crate) const fn reached(_: Point) {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Point;

    #[test]
    fn each_point_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
    }
}
