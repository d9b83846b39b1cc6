//! `ha-agent reload [--dry-run] [--json]`.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Places;
use crate::{
    api::{
        Client,
        types::{Reload, Reloaded},
    },
    config::DEFAULT_SOCKET,
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
pub(super) async fn run(places: &Places, args: &Args) -> Result<()> {
    let body = Reload {
        dry_run: args.dry_run,
    };
    let client = match places.client() {
        Ok(client) => client,
        // Its agent shall know, too, and say so in its status.
        Err(invalid) => match agent_of(places.config_path()).await {
            Some(client) => client,
            None => return Err(invalid.into()),
        },
    };
    let reloaded = client.reload(&body).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reloaded)?);
    } else {
        print!("{}", text(&reloaded));
    }
    Ok(())
}

/// The agent that runs by this file, which is wrong.
async fn agent_of(file: &Path) -> Option<Client> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let client = Client::new(&socket(&text));
    let status = client.status().await.ok()?;
    let file = std::path::absolute(file).ok()?;
    let is_its = status.configuration?.path == file.display().to_string();
    is_its.then_some(client)
}

/// The control socket, as far as the text can be read.
fn socket(text: &str) -> PathBuf {
    let table = text.parse::<toml::Table>().unwrap_or_default();
    let control = table.get("control");
    let socket = control.and_then(|control| control.get("socket")?.as_str());
    socket.unwrap_or(DEFAULT_SOCKET).into()
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
    use super::{DEFAULT_SOCKET, Path, Reloaded, socket, text};
    use crate::config::difference::{Action, Change, Subject};

    #[test]
    fn the_socket_of_a_file_that_is_wrong_is_found_where_it_can_be_read() {
        let wrong = "[control]\nsocket = \"/run/x\"\n[node]\nlease = 7\n";
        assert_eq!(socket(wrong), Path::new("/run/x"));
        assert_eq!(socket("[control\nsocket = "), Path::new(DEFAULT_SOCKET));
    }

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
