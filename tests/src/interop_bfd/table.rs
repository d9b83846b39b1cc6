//! The cases.

use super::{Case, Family, Passive, Story};

const fn case(name: &'static str, family: Family, story: Story) -> Case {
    Case {
        name,
        family,
        passive: Passive::Nobody,
        story,
    }
}

const fn passive(name: &'static str, family: Family, passive: Passive) -> Case {
    Case {
        passive,
        ..case(name, family, Story::Agreement)
    }
}

/// All cases.
pub const CASES: &[Case] = &[
    case("active-v4", Family::V4, Story::Agreement),
    passive("passive-frr-v4", Family::V4, Passive::Theirs),
    passive("passive-ours-v4", Family::V4, Passive::Ours),
    case("active-v6", Family::V6, Story::Agreement),
    passive("passive-frr-v6", Family::V6, Passive::Theirs),
    passive("passive-ours-v6", Family::V6, Passive::Ours),
    case("poll-v4", Family::V4, Story::Poll),
    case("poll-v6", Family::V6, Story::Poll),
    case("held-down-v4", Family::V4, Story::HeldDown),
    case("stopped-v4", Family::V4, Story::Stopped),
    case("hang-frr-v4", Family::V4, Story::TheirsHangs),
    case("hang-frr-v6", Family::V6, Story::TheirsHangs),
    case("hang-ours-v4", Family::V4, Story::OursHangs),
    case("hang-ours-v6", Family::V6, Story::OursHangs),
    case("echo-v4", Family::V4, Story::Echo),
    case("echo-v6", Family::V6, Story::Echo),
    case("echo-refused-v4", Family::V4, Story::EchoRefused),
];
