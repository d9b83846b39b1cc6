//! Other interfaces of the node on which a group may be served.

use std::time::Duration;

use super::{parse, with};

/// The good file with two interfaces more, and this table.
fn text(local: &str) -> String {
    let text = with(&[(
        "[group.election]",
        &format!("[group.local]\n{local}\n[group.election]"),
    )]);
    format!("{text}\n[[interface]]\nname = \"eth1\"\n[[interface]]\nname = \"eth2\"\n")
}

#[test]
fn they_are_in_order_and_it_goes_back_unless_told_otherwise() {
    let config = parse(&text("fallback = [\"eth2\", \"eth1\"]")).unwrap();
    let group = &config.groups[0];
    let names: Vec<_> = group.interfaces().collect();
    assert_eq!(names, ["eth0", "eth2", "eth1"]);
    let after = |local: &str| {
        let config = parse(&text(&format!("fallback = [\"eth1\"]\n{local}"))).unwrap();
        config.groups[0].local.clone().unwrap().returns_after
    };
    assert_eq!(after(""), Some(Duration::from_secs(5)));
    assert_eq!(
        after("return_delay = \"1m\""),
        Some(Duration::from_secs(60))
    );
    assert_eq!(after("return = \"never\""), None);
}

#[test]
fn each_fault_has_its_mend() {
    for (local, told) in [
        ("fallback = []", "the list is empty"),
        ("fallback = [\"eth9\"]", "there is no interface \"eth9\""),
        ("fallback = [\"eth0\"]", "served on eth0 already"),
        ("fallback = [\"eth1\", \"eth1\"]", "served on eth1 already"),
        (
            "fallback = [\"eth1\"]\nreturn = \"soon\"",
            "\"soon\" is not known",
        ),
    ] {
        let error = parse(&text(local)).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    let text =
        text("fallback = [\"eth1\"]").replacen("vips = [", "track_interface = false\nvips = [", 1);
    let error = parse(&text).unwrap_err();
    assert!(error.contains("remove track_interface = false"), "{error}");
}
