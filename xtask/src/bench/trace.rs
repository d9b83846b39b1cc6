//! Reads from the output of strace what happened between two marks.
//!
//! The benchmark writes a line to its standard error before and after a flip, with one system call
//! each; what stands between them, of the same thread, is the flip.

use anyhow::{Context, Result, bail};

const BEGIN: &str = "flip begins: ";
const END: &str = "flip ends: ";

/// A flip as the kernel saw it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flip {
    /// Virtual IPs of the group that moved.
    pub(crate) vips: u32,
    /// The system calls, as strace shows them.
    pub(crate) calls: Vec<String>,
}

impl Flip {
    /// How many of the calls are of this name.
    pub(crate) fn calls_of(&self, name: &str) -> usize {
        self.names().iter().filter(|call| **call == name).count()
    }

    /// The names of the calls, in their order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.calls
            .iter()
            .map(|call| call.split('(').next().unwrap_or(call))
            .collect()
    }
}

/// The flips in the output of `strace --follow-forks --output`.
///
/// # Errors
/// If a flip begins and does not end.
pub(crate) fn flips(log: &str) -> Result<Vec<Flip>> {
    let mut flips = Vec::new();
    // The thread that is in the middle of a flip.
    let mut current: Option<(&str, Flip)> = None;
    for line in log.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(vips) = marked(call, BEGIN)? {
            let flip = Flip {
                vips,
                calls: Vec::new(),
            };
            current = Some((thread, flip));
        } else if marked(call, END)?.is_some() {
            flips.extend(current.take().map(|(_, flip)| flip));
        } else if let Some((_, flip)) = current.as_mut().filter(|(of, _)| *of == thread) {
            flip.calls.push(call.to_owned());
        }
    }
    match current {
        Some((_, flip)) => bail!("the flip of {} virtual IPs does not end", flip.vips),
        None => Ok(flips),
    }
}

/// The number behind `mark` if the call writes it.
fn marked(call: &str, mark: &str) -> Result<Option<u32>> {
    if !call.starts_with("write(2,") {
        return Ok(None);
    }
    let Some((_, rest)) = call.split_once(mark) else {
        return Ok(None);
    };
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .map(Some)
        .with_context(|| format!("no number in the mark {call}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_thread_does_between_the_marks_counts() {
        let log = r#"
12 bpf(BPF_MAP_CREATE, {}, 72) = 3
12 write(2, "flip begins: 1\n", 15) = 15
13 nanosleep({}, NULL) = 0
12 write(2, "flip ends: 1\n", 13) = 13
12 bpf(BPF_PROG_TEST_RUN, {}, 72) = 0
12 write(2, "flip begins: 65536\n", 19) = 19
12 bpf(BPF_MAP_UPDATE_ELEM, {}, 72) = 0
12 getpid() = 12
12 write(2, "flip ends: 65536\n", 17) = 17
12 +++ exited with 0 +++
"#;
        let flips = flips(log).unwrap();
        assert_eq!(flips.len(), 2);
        assert_eq!((flips[0].vips, flips[0].calls.len()), (1, 0));
        assert_eq!(flips[1].vips, 65_536);
        assert_eq!(flips[1].names(), ["bpf", "getpid"]);
        assert_eq!(flips[1].calls_of("bpf"), 1);
    }

    #[test]
    fn a_flip_must_end() {
        assert!(flips("12 write(2, \"flip begins: 1\\n\", 15) = 15\n").is_err());
        assert!(flips("").unwrap().is_empty());
    }
}
