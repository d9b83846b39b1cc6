//! `[node]`, `[control]` and `[log]`.

use std::{path::PathBuf, time::Duration};

use toml::Spanned;
use tracing_subscriber::EnvFilter;

use super::{
    super::{
        Control, DEFAULT_PIN_DIR, DEFAULT_SOCKET, LocalClients, Log, LogFormat, Node, OnExit,
        error::Report, file, value::word,
    },
    optional,
};

/// Longest path of a Unix socket, octets (`sun_path` without its zero, unix(7)).
const SOCKET_PATH: usize = 107;

pub(super) fn node(
    node: &file::Node,
    lease: Option<Duration>,
    report: &mut Report<'_>,
) -> Option<Node> {
    let name = node.name.get_ref();
    if name.is_empty() {
        report.add(
            node.name.span(),
            "node.name",
            "is empty",
            "write what this host is called",
        );
    }
    let pin_dir = path(
        node.pin_dir.as_ref(),
        "node.pin_dir",
        DEFAULT_PIN_DIR,
        report,
    );
    let policies = [("hold", OnExit::Hold), ("release", OnExit::Release)];
    let on_exit = optional(node.on_exit.as_ref(), OnExit::default(), |on_exit| {
        word(report, "node.on_exit", on_exit, &policies)
    });
    let reached = [("active", LocalClients::Active), ("own", LocalClients::Own)];
    let local_clients = optional(
        node.local_clients.as_ref(),
        LocalClients::default(),
        |local_clients| word(report, "node.local_clients", local_clients, &reached),
    );
    Some(Node {
        name: name.clone(),
        lease: lease?,
        on_exit: on_exit?,
        local_clients: local_clients?,
        pin_dir: pin_dir?,
    })
}

pub(super) fn control(control: &file::Control, report: &mut Report<'_>) -> Option<Control> {
    let socket = path(
        control.socket.as_ref(),
        "control.socket",
        DEFAULT_SOCKET,
        report,
    )?;
    if let Some(written) = &control.socket
        && socket.as_os_str().len() > SOCKET_PATH
    {
        report.add(
            written.span(),
            "control.socket",
            format!("a socket's path has at most {SOCKET_PATH} octets"),
            "choose a shorter one",
        );
        return None;
    }
    Some(Control {
        socket,
        group: control.group.as_ref().map(|group| group.get_ref().clone()),
    })
}

pub(super) fn log(log: &file::Log, report: &mut Report<'_>) -> Option<Log> {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = optional(log.format.as_ref(), LogFormat::default(), |format| {
        word(report, "log.format", format, &formats)
    });
    let filter = optional(log.filter.as_ref(), "info".to_owned(), |filter| {
        if EnvFilter::builder().parse(filter.get_ref()).is_err() {
            report.add(
                filter.span(),
                "log.filter",
                format!("\"{}\" is not a filter", filter.get_ref()),
                "write a level, as \"info\", or levels by module, as \"info,ha_agent::api=debug\"",
            );
            return None;
        }
        Some(filter.get_ref().clone())
    });
    Some(Log {
        format: format?,
        filter: filter?,
    })
}

fn path(
    written: Option<&Spanned<String>>,
    key: &str,
    default: &str,
    report: &mut Report<'_>,
) -> Option<PathBuf> {
    let Some(written) = written else {
        return Some(default.into());
    };
    let path = PathBuf::from(written.get_ref());
    if path.is_absolute() {
        return Some(path);
    }
    report.add(
        written.span(),
        key,
        format!("\"{}\" is not an absolute path", path.display()),
        format!("begin it with a slash, as \"{default}\""),
    );
    None
}
