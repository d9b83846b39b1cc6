//! Words, numbers and lengths of time, each with the mend if it is none.

use std::{ops::RangeInclusive, time::Duration};

use toml::Spanned;

use super::error::Report;

/// One of a few words.
pub(super) fn word<T: Copy>(
    report: &mut Report<'_>,
    key: &str,
    value: &Spanned<String>,
    words: &[(&str, T)],
) -> Option<T> {
    let text = value.get_ref();
    if let Some((_, meaning)) = words.iter().find(|(word, _)| word == text) {
        return Some(*meaning);
    }
    let known: Vec<_> = words
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    report.add(
        value.span(),
        key,
        format!("\"{text}\" is not known"),
        format!("write {}", known.join(" or ")),
    );
    None
}

/// A whole number within bounds.
pub(super) fn number<T: TryFrom<i64>>(
    report: &mut Report<'_>,
    key: &str,
    value: &Spanned<i64>,
    bounds: RangeInclusive<i64>,
) -> Option<T> {
    let number = *value.get_ref();
    if bounds.contains(&number)
        && let Ok(number) = T::try_from(number)
    {
        return Some(number);
    }
    report.add(
        value.span(),
        key,
        format!("{number} is out of range"),
        format!("choose {} to {}", bounds.start(), bounds.end()),
    );
    None
}

/// A length of time within bounds.
pub(super) fn duration(
    report: &mut Report<'_>,
    key: &str,
    value: &Spanned<String>,
    bounds: RangeInclusive<Duration>,
) -> Option<Duration> {
    let text = value.get_ref();
    let Ok(duration) = humantime::parse_duration(text) else {
        report.add(
            value.span(),
            key,
            format!("\"{text}\" is not a length of time"),
            "write a number with its unit, as \"200ms\" or \"1s\"",
        );
        return None;
    };
    if bounds.contains(&duration) {
        return Some(duration);
    }
    report.add(
        value.span(),
        key,
        format!("{} is out of range", shown(duration)),
        format!(
            "choose {} to {}",
            shown(*bounds.start()),
            shown(*bounds.end())
        ),
    );
    None
}

/// A length of time as it is written in the file.
pub(super) fn shown(duration: Duration) -> String {
    let text = humantime::format_duration(duration).to_string();
    text.replace(' ', "")
}
