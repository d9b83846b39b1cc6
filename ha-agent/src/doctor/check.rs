//! What a check is.

use std::pin::Pin;

use anyhow::Result;

use super::{Finding, Host, finding::Verdict};

/// A check: it looks, and what it saw is judged by a function that looks at nothing else.
pub(super) trait Check {
    /// Its name.
    const NAME: &'static str;
    /// What is looked at and what is wrong, as a sentence of the manual.
    const ABOUT: &'static str;
    /// How the tests show that it finds what is wrong.
    const SHOWN: Shown;
    /// Whether what it finds is logged when the agent starts.
    const AT_START: bool = false;
    /// What is seen of one thing.
    type Facts: Sync;

    /// What is seen, each with its subject: the name of an interface, or nothing for the host as a whole.
    fn look(host: &Host) -> impl Future<Output = Result<Vec<(String, Self::Facts)>>> + Send;

    /// What is to be said about it. Nothing means that all is well and not worth a line.
    fn judge(facts: &Self::Facts) -> Vec<Verdict>;
}

/// How the tests show that a check finds what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// On a lab that is made wrong in that way.
    Lab,
    /// By facts of such a host, as no lab can be made so.
    Facts,
}

/// A check, whatever its facts are.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What is looked at and what is wrong.
    pub about: &'static str,
    /// How the tests show that it finds what is wrong.
    pub shown: Shown,
    pub(super) at_start: bool,
    run: for<'a> fn(&'a Host) -> Examination<'a>,
}

type Examination<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

impl Entry {
    pub(super) async fn examine(&self, host: &Host) -> Vec<Finding> {
        (self.run)(host).await
    }
}

pub(super) const fn entry<C: Check>() -> Entry {
    Entry {
        name: C::NAME,
        about: C::ABOUT,
        shown: C::SHOWN,
        at_start: C::AT_START,
        run: examine::<C>,
    }
}

fn examine<C: Check>(host: &Host) -> Examination<'_> {
    Box::pin(async {
        match C::look(host).await {
            Ok(seen) => findings::<C>(&seen),
            // Not to be able to look is no proof of a fault, and no proof that there is none.
            Err(error) => vec![
                Verdict::warning(
                    format!("not looked at: {error:#}"),
                    "Nothing is known about it.",
                    "run it as root on the host itself",
                )
                .of(C::NAME, ""),
            ],
        }
    })
}

fn findings<C: Check>(seen: &[(String, C::Facts)]) -> Vec<Finding> {
    let judged = seen.iter().flat_map(|(subject, facts)| {
        let verdicts = C::judge(facts).into_iter();
        verdicts.map(move |verdict| verdict.of(C::NAME, subject))
    });
    let findings: Vec<_> = judged.collect();
    if findings.is_empty() {
        return vec![Verdict::ok("nothing here that it is about").of(C::NAME, "")];
    }
    findings
}
