//! `ha-agent reload [--dry-run] [--json]`.

use anyhow::Result;

use crate::api::{
    Client,
    types::{Reload, Reloaded},
};

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Has the agent read its configuration again.
///
/// # Errors
/// If the agent does not run, the file is wrong, or it cannot be changed to that.
pub(super) async fn run(client: &Client, args: &Args) -> Result<()> {
    let body = Reload {
        dry_run: args.dry_run,
    };
    let reloaded = client.reload(&body).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reloaded)?);
    } else {
        print!("{}", text(&reloaded));
    }
    Ok(())
}

fn text(reloaded: &Reloaded) -> String {
    let mut text = String::new();
    for change in &reloaded.changes {
        text += &format!("{change}\n");
    }
    for problem in &reloaded.problems {
        text += &format!("problem: {problem}\n");
    }
    let number = reloaded.changes.len();
    text += &match (number, reloaded.applied) {
        (0, _) => "nothing has changed\n".to_owned(),
        (number, true) => format!("{number} changes are in force\n"),
        (number, false) => format!("{number} changes would be made\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::{Reloaded, text};
    use crate::config::difference::{Action, Change, Subject};

    #[test]
    fn the_plan_has_a_line_for_each_change() {
        let mut reloaded = Reloaded {
            applied: false,
            checksum: "1".to_owned(),
            changes: Vec::new(),
            problems: Vec::new(),
        };
        assert_eq!(text(&reloaded), "nothing has changed\n");
        reloaded.changes.push(Change {
            subject: Subject::Group,
            name: "web".to_owned(),
            action: Action::Changed,
            details: vec!["priority 100 → 150".to_owned()],
        });
        assert_eq!(
            text(&reloaded),
            "~ group web: changed in place: priority 100 → 150\n1 changes would be made\n"
        );
        reloaded.applied = true;
        reloaded.problems.push("it is late".to_owned());
        assert!(text(&reloaded).ends_with("problem: it is late\n1 changes are in force\n"));
    }
}
