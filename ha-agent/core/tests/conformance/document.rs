//! From the table to `docs/conformance.md`, and that neither says what is not so.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use crate::{
    b_table,
    table::{self, Row, Test},
};

const DOCUMENT: &str = "docs/conformance.md";

const SOURCES: [(&str, &str); 3] = [
    ("p_rows.rs", include_str!("p_rows.rs")),
    ("s_rows.rs", include_str!("s_rows.rs")),
    ("b_rows.rs", include_str!("b_rows.rs")),
];

const HEAD: &str = "\
# Conformance with RFC 9568, and with BFD

What VRRP version 3 and BFD demand, and the tests that hold it. This page is generated from `table.rs` and
`b_table.rs` in `ha-agent/core/tests/conformance`, which are checked against the tests themselves; after
a change there, write it anew:

```sh
HA_UPDATE_DOCS=1 cargo test -p ha-core --test conformance
```

The errata 8298 to 8301 are included. In each cell the first list is of tests in which the requirement
is kept, the second one of those in which it is broken or would be. Names without a file are in
`ha-agent/core/tests/conformance`; names in quotes are fixtures of the data path, which run against
the program in the kernel and its host build.

## VRRP

";

const BFD: &str = "
## BFD

Single hop, asynchronous mode. The other system may use Demand mode; authentication and several hops are not
offered.

";

const FOOT: &str = "
## Where more is done, or something else

- A node that takes over from a live one claims first: it advertises, but answers only when the other
  one has acknowledged with priority 0, or when `yield_grace` is over (see `architecture.md`). With
  `yield_grace` zero the owner of the addresses is Active at once.
- Intervals and skew times are exact to the nanosecond; the RFC reckons in centiseconds, which makes
  short skew times zero.
- Accept_Mode is always on: the addresses are there to be served, and the data path delivers what comes
  for them.
- Router advertisements are not sent: that is left to a routing daemon. Answers and announcements carry
  the router flag where the group is configured as a router.
- A group with both families is one virtual router with one priority, where the RFC has two. Equal
  priorities are then decided by the IPv4 addresses.
- With configured peers advertisements go to each of them alone, and nobody else's are heeded. The TTL
  is 255 all the same.
- Version 2 (RFC 3768) is spoken for migration, without authentication. An owner heeds other
  advertisers there, too, as erratum 8298 has it for version 3.
";

/// A file by its path from the top of the repository.
fn from_top(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    table::ROWS.iter().chain(b_table::ROWS)
}

fn tests() -> impl Iterator<Item = (&'static Row, Test)> {
    rows().flat_map(|row| {
        row.kept
            .iter()
            .chain(row.broken)
            .map(move |&test| (row, test))
    })
}

/// The functions marked as tests in `source`.
fn functions(source: &str) -> BTreeSet<&str> {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[test]")
        .filter_map(|pair| pair[1].strip_prefix("fn ")?.split_once('('))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn every_test_in_the_table_exists() {
    for (row, test) in tests() {
        let exists = match test {
            Test::Here(name) => SOURCES
                .iter()
                .any(|(_, source)| functions(source).contains(name)),
            Test::In(file, name) => {
                let source = fs::read_to_string(from_top(file))
                    .unwrap_or_else(|error| panic!("{}: {file}: {error}", row.id));
                functions(&source).contains(name) || source.contains(&format!("\"{name}\""))
            }
        };
        let (Test::Here(name) | Test::In(_, name)) = test;
        assert!(exists, "{}: there is no test {name:?}", row.id);
    }
}

#[test]
fn every_test_is_in_the_row_it_is_named_after() {
    for (file, source) in SOURCES {
        for function in functions(source) {
            let row =
                tests().find(|(_, test)| matches!(test, Test::Here(name) if *name == function));
            let Some((row, _)) = row else {
                panic!("{file}: {function} is not in the table");
            };
            let prefix = format!("{}_", row.id.to_lowercase());
            assert!(function.starts_with(&prefix), "{}: {function}", row.id);
        }
    }
}

#[test]
fn every_row_has_a_test_that_keeps_it_and_one_that_breaks_it() {
    let ids: Vec<_> = rows().map(|row| row.id).collect();
    let expected = (1..=12).map(|n| format!("P{n}"));
    let expected = expected.chain((1..=11).map(|n| format!("S{n}")));
    let expected = expected.chain((1..=11).map(|n| format!("B{n}")));
    assert_eq!(ids, expected.collect::<Vec<_>>());
    for row in rows() {
        assert!(!row.kept.is_empty() && !row.broken.is_empty(), "{}", row.id);
    }
}

#[test]
fn the_document_says_what_the_table_says() {
    let document = document();
    let path = from_top(DOCUMENT);
    if std::env::var_os("HA_UPDATE_DOCS").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == document,
        "{DOCUMENT} is out of date: run `HA_UPDATE_DOCS=1 cargo test -p ha-core --test conformance`"
    );
}

fn document() -> String {
    let vrrp = markdown(table::ROWS);
    let bfd = markdown(b_table::ROWS);
    [HEAD, &vrrp, BFD, &bfd, FOOT].concat()
}

fn markdown(rows: &[Row]) -> String {
    let mut text = "| | requirement | section | tests |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let (kept, broken) = (cell(row.kept), cell(row.broken));
        let (id, requirement, section) = (row.id, row.requirement, row.section);
        writeln!(
            text,
            "| {id} | {requirement} | {section} | **kept:** {kept}<br>**broken:** {broken} |"
        )
        .expect("a string takes whatever is written to it");
    }
    text
}

fn cell(tests: &[Test]) -> String {
    let names = tests.iter().map(|test| match test {
        Test::Here(name) => format!("`{name}`"),
        Test::In(file, name) if name.contains(' ') => format!("\"{name}\" in `{file}`"),
        Test::In(file, name) => format!("`{name}` in `{file}`"),
    });
    names.collect::<Vec<_>>().join(", ")
}
