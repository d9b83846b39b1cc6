//! Which MAC answers for a group, and which one where that is not admitted.

use toml::Spanned;

use super::{
    super::{AnsweringMac, MacFallback, error::Report, file, value::word},
    election::Kind,
    optional,
};

pub(super) fn mac(
    group: &file::Group,
    kind: &Kind,
    key: &str,
    report: &mut Report<'_>,
) -> Option<AnsweringMac> {
    #[derive(Clone, Copy)]
    enum Word {
        Virtual,
        Interface,
    }
    let words = [("virtual", Word::Virtual), ("interface", Word::Interface)];
    let key = format!("{key}.mac");
    let choice = optional(group.mac.as_ref(), Word::Virtual, |mac| {
        word(report, &key, mac, &words)
    })?;
    match (choice, kind.vrid()) {
        (Word::Interface, _) => Some(AnsweringMac::Interface),
        (Word::Virtual, Some(vrid)) => Some(AnsweringMac::Virtual(vrid)),
        (Word::Virtual, None) => {
            let place = group
                .mac
                .as_ref()
                .map_or_else(|| group.election.span(), Spanned::span);
            report.add(
                place,
                key,
                "a virtual MAC is made from a virtual router id, and the election has none",
                "add vrid = 1 to 255 to the election, or write mac = \"interface\"",
            );
            None
        }
    }
}

/// `mac` is what is written beside it, if that is well.
pub(super) fn fallback(
    group: &file::Group,
    mac: Option<AnsweringMac>,
    key: &str,
    report: &mut Report<'_>,
) -> Option<MacFallback> {
    let key = format!("{key}.mac_fallback");
    let words = [
        ("interface", MacFallback::Interface),
        ("none", MacFallback::None),
    ];
    let choice = optional(group.mac_fallback.as_ref(), MacFallback::None, |fallback| {
        word(report, &key, fallback, &words)
    })?;
    match (choice, mac, &group.mac_fallback) {
        (MacFallback::Interface, Some(AnsweringMac::Interface), Some(written)) => {
            report.add(
                written.span(),
                key,
                "the group answers with the interface's MAC in any case",
                "leave it out, or write mac = \"virtual\"",
            );
            None
        }
        (choice, _, _) => Some(choice),
    }
}
