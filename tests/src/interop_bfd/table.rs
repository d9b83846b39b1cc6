//! The cases.

use super::{Case, Family, Passive, Story};

const fn case(name: &'static str, family: Family, story: Story) -> Case {
    Case {
        name,
        family,
        passive: Passive::Nobody,
        echo: false,
        story,
    }
}

const fn passive(name: &'static str, family: Family, passive: Passive) -> Case {
    Case {
        passive,
        ..case(name, family, Story::Agreement)
    }
}

const fn echo(case: Case) -> Case {
    Case { echo: true, ..case }
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
    echo(case("echo-v4", Family::V4, Story::Echo)),
    echo(case("echo-v6", Family::V6, Story::Echo)),
    echo(case("echo-refused-v4", Family::V4, Story::EchoRefused)),
    echo(case("echo-hang-ours-v4", Family::V4, Story::OursHangs)),
    case("echo-ours-v4", Family::V4, Story::EchoOurs),
    echo(case("echo-both-v4", Family::V4, Story::EchoOurs)),
];
