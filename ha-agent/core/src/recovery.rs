//! Local recovery: on which of its interfaces a node serves a group.
//!
//! An interface is judged by its link, and by whether a ping target answers over it. A target that answers over none
//! may be down itself, so it says something of an interface only while it answers over another one.

/// What the targets say of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Nothing yet; or there are none.
    #[default]
    Unknown,
    /// At least one of them answers over it.
    Answers,
    /// One did, but none has answered the last pings.
    Late,
    /// None of them does.
    Silent,
}

/// An interface on which a group may be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Whether it is there and has a link.
    pub has_link: bool,
    /// What the targets say of it.
    pub reach: Reach,
    /// Whether it has failed to reach targets that another one reached, and has reached none since.
    pub is_cut: bool,
}

/// What is to be done. Places are those among the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The group stays where it is.
    Stay,
    /// A better way is well: the group goes back to it when it has been so for long enough.
    Return(usize),
    /// The group goes there at once.
    Move(usize),
}

/// Takes note of which ways are cut.
pub fn judge(ways: &mut [Way]) {
    // One that was answered a while ago may have heard the target's last words.
    let is_reached = ways.iter().any(answers);
    for way in ways {
        way.is_cut = way.has_link
            && match way.reach {
                Reach::Answers | Reach::Late => false,
                Reach::Silent => way.is_cut || is_reached,
                Reach::Unknown => way.is_cut,
            };
    }
}

/// Where a group that is served on the way at `present` should be. The ways are in the order of preference, and
/// [judged](judge).
#[must_use]
pub fn choose(ways: &[Way], present: usize) -> Choice {
    let first = |fits: &dyn Fn(&Way) -> bool| ways.iter().position(fits);
    let is_well = |way: &Way| way.has_link && !way.is_cut;
    let now = ways.get(present).copied().unwrap_or_default();
    if now.has_link && now.is_cut {
        // Of the others those that merely have a link may be as bad.
        return first(&answers).map_or(Choice::Stay, Choice::Move);
    }
    if !now.has_link {
        let next = first(&is_well).or_else(|| first(&|way| way.has_link));
        return next.map_or(Choice::Stay, Choice::Move);
    }
    let is_reached = ways.iter().any(has_answered);
    let attracts = |way: &Way| is_well(way) && (!is_reached || has_answered(way));
    match first(&attracts) {
        Some(better) if better < present => Choice::Return(better),
        Some(_) | None => Choice::Stay,
    }
}

fn answers(way: &Way) -> bool {
    way.has_link && way.reach == Reach::Answers
}

fn has_answered(way: &Way) -> bool {
    way.has_link && matches!(way.reach, Reach::Answers | Reach::Late)
}

/// The pings over one interface, in rounds: one to each target.
#[derive(Clone, Debug)]
pub struct Pings {
    /// So many rounds without an answer are a silence.
    fall: u16,
    /// Number of the last round, which its pings bear.
    round: u16,
    unanswered: u16,
    reach: Reach,
}

impl Pings {
    /// Pings of which nothing is known. Zero counts as one.
    #[must_use]
    pub fn new(fall: u16) -> Self {
        Self {
            fall: fall.max(1),
            round: 0,
            unanswered: 0,
            reach: Reach::Unknown,
        }
    }

    /// What they say.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// A round begins, and what has come in by now has been told: the number for its pings.
    pub fn begin(&mut self) -> u16 {
        if self.unanswered >= self.fall {
            self.reach = Reach::Silent;
        } else if self.unanswered > 0 && self.reach == Reach::Answers {
            self.reach = Reach::Late;
        }
        self.unanswered = self.unanswered.saturating_add(1);
        self.round = self.round.wrapping_add(1);
        self.round
    }

    /// A ping of this round was answered.
    pub fn answered(&mut self, round: u16) {
        // An answer that comes so late that its silence has been told says nothing of now.
        if self.round.wrapping_sub(round) < self.fall {
            self.unanswered = 0;
            self.reach = Reach::Answers;
        }
    }

    /// The link is lost: what was known is known no more.
    pub fn forget(&mut self) {
        self.unanswered = 0;
        self.reach = Reach::Unknown;
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice::*, Pings, Reach, Way, choose, judge};

    /// `-` no link, `l` a link, `+` a target answers, `o` one has, `s` none does, `x` cut and none does, `c` cut and
    /// not heard of since.
    fn ways(text: &str) -> Vec<Way> {
        let way = |letter| {
            let (has_link, reach, is_cut) = match letter {
                '-' => (false, Reach::Unknown, false),
                'l' => (true, Reach::Unknown, false),
                '+' => (true, Reach::Answers, false),
                'o' => (true, Reach::Late, false),
                's' => (true, Reach::Silent, false),
                'x' => (true, Reach::Silent, true),
                'c' => (true, Reach::Unknown, true),
                _ => panic!("{letter}"),
            };
            Way {
                has_link,
                reach,
                is_cut,
            }
        };
        text.chars().map(way).collect()
    }

    #[test]
    fn where_a_group_should_be() {
        for (before, present, choice, why) in [
            ("ll", 0, Stay, "all is well"),
            ("-l", 0, Move(1), "the link is lost"),
            ("--l", 0, Move(2), "and that of the next one, too"),
            ("--", 0, Stay, "there is none to go to"),
            ("ll", 1, Return(0), "the link is back"),
            ("lll", 2, Return(0), "the best one"),
            ("-ll", 2, Return(1), "the best of those that are well"),
            ("++", 0, Stay, "both reach a target"),
            ("s+", 0, Move(1), "only the second one does"),
            ("sl+", 0, Move(2), "a link alone is not enough then"),
            ("ss", 0, Stay, "the target is down itself"),
            ("so", 0, Stay, "or has just gone down"),
            ("oo", 1, Return(0), "an answer may be lost"),
            ("lo", 1, Stay, "but one there must be"),
            ("sl", 0, Stay, "nobody is known to reach it"),
            ("s-", 0, Stay, "there is nobody else"),
            ("-s", 0, Move(1), "the link alone decides"),
            ("-s+", 0, Move(2), "one that reaches nothing is passed over"),
            ("-x", 0, Move(1), "but it is better than none"),
            ("+s", 0, Stay, "the second one is not well"),
            ("l+", 0, Stay, "it has not been found silent"),
            (
                "s+",
                1,
                Stay,
                "the first one has a link, but reaches nothing",
            ),
            ("l+", 1, Stay, "it has to show that it does"),
            ("++", 1, Return(0), "it does"),
            ("l++", 2, Return(1), "the best of those that do"),
            (
                "xs",
                1,
                Stay,
                "what is cut does not attract when the target goes down",
            ),
            ("cs", 1, Stay, "nor before it has been heard of again"),
            (
                "ss",
                1,
                Return(0),
                "what lost its link does, when it is back",
            ),
            ("xs", 0, Stay, "nor is it left without a better one"),
            ("x-", 0, Stay, "or any other"),
        ] {
            let mut ways = ways(before);
            judge(&mut ways);
            assert_eq!(
                choose(&ways, present),
                choice,
                "{before} at {present}: {why}"
            );
        }
    }

    #[test]
    fn a_way_is_cut_until_it_answers_or_loses_its_link() {
        for (before, after) in [
            ("s+", "x+"),
            ("ss", "ss"),
            ("so", "so"),
            ("xs", "xs"),
            ("xo", "xo"),
            ("x+", "x+"),
            ("c+", "c+"),
            ("l+", "l+"),
            ("++", "++"),
        ] {
            let mut judged = ways(before);
            judge(&mut judged);
            assert_eq!(judged, ways(after), "{before}");
        }
        let mut answers = ways("x+");
        answers[0].reach = Reach::Answers;
        judge(&mut answers);
        assert_eq!(answers, ways("++"));
        let mut lost = ways("x+");
        lost[0].has_link = false;
        judge(&mut lost);
        assert!(!lost[0].is_cut);
    }

    #[test]
    fn a_silence_is_so_many_rounds_without_an_answer() {
        let mut pings = Pings::new(3);
        let first = pings.begin();
        pings.answered(first);
        assert_eq!(pings.reach(), Reach::Answers);
        let reaches: Vec<_> = (0..4)
            .map(|_| {
                pings.begin();
                pings.reach()
            })
            .collect();
        let [answers, late, silent] = [Reach::Answers, Reach::Late, Reach::Silent];
        assert_eq!(reaches, [answers, late, late, silent]);
        let last = pings.begin();
        pings.answered(last.wrapping_sub(3));
        assert_eq!(pings.reach(), silent, "too late");
        pings.answered(last.wrapping_sub(2));
        assert_eq!(pings.reach(), answers, "one is enough");
    }

    #[test]
    fn of_two_the_one_that_heard_the_last_answer_is_late_when_the_other_one_is_silent() {
        let (mut first, mut second) = (Pings::new(2), Pings::new(2));
        let round = first.begin();
        first.answered(round);
        second.begin();
        second.answered(round);
        first.begin();
        let last = second.begin();
        second.answered(last);
        while first.reach() != Reach::Silent {
            first.begin();
            second.begin();
        }
        assert_eq!(second.reach(), Reach::Late);
    }

    #[test]
    fn one_that_never_answered_is_found_silent_too() {
        let mut pings = Pings::new(0);
        pings.begin();
        assert_eq!(pings.reach(), Reach::Unknown);
        pings.begin();
        assert_eq!(pings.reach(), Reach::Silent);
        pings.forget();
        assert_eq!(pings.reach(), Reach::Unknown);
    }

    #[test]
    fn rounds_go_round() {
        let mut pings = Pings::new(2);
        for _ in 0..=u16::MAX {
            let round = pings.begin();
            pings.answered(round);
        }
        let round = pings.begin();
        pings.answered(round);
        assert_eq!(pings.reach(), Reach::Answers);
    }
}
