//! The number in a file (keepalived's `track_file`).

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use ha_core::track::Observation;
use inotify::{EventStream, Inotify, WatchMask};

use super::Look;

/// Room for a notice with the longest name.
const NOTICE: usize = 512;

pub(super) struct File {
    path: PathBuf,
    /// `None` if there is nothing to be had that tells of changes.
    notices: Option<EventStream<Vec<u8>>>,
}

impl File {
    pub(super) fn new(path: &Path) -> Self {
        let notices = watch(path).inspect_err(|error| {
            tracing::warn!(file = %path.display(), "changes are seen only at intervals: {error}");
        });
        Self {
            path: path.to_owned(),
            notices: notices.ok(),
        }
    }

    pub(super) async fn look(&mut self) -> Look {
        let text = match tokio::fs::read_to_string(&self.path).await {
            Ok(text) => text,
            Err(error) => return Look::fail(error.to_string()),
        };
        match text.trim().parse() {
            Ok(number) => Look {
                observation: Observation::Number(number),
                note: format!("says {number}"),
            },
            Err(_) => Look::fail("does not hold a whole number"),
        }
    }

    pub(super) async fn told(&mut self) {
        if let Some(notices) = &mut self.notices
            && notices.next().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// Watches the directory: the file itself may be replaced, or not be there yet.
fn watch(path: &Path) -> std::io::Result<EventStream<Vec<u8>>> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let inotify = Inotify::init()?;
    let mask =
        WatchMask::CLOSE_WRITE | WatchMask::MOVED_TO | WatchMask::MOVED_FROM | WatchMask::DELETE;
    inotify.watches().add(dir.unwrap_or(Path::new(".")), mask)?;
    inotify.into_event_stream(vec![0; NOTICE])
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process, time::Duration};

    use ha_core::track::Observation;
    use tokio::time::timeout;

    use super::File;

    #[tokio::test]
    async fn a_number_is_read_and_its_change_is_told() {
        let path = env::temp_dir().join(format!("ha-agent-file-{}", process::id()));
        fs::write(&path, "-7\n").unwrap();
        let mut file = File::new(&path);
        assert_eq!(file.look().await.observation, Observation::Number(-7));
        fs::write(&path, "12").unwrap();
        let told = timeout(Duration::from_secs(10), file.told()).await;
        assert!(told.is_ok(), "nobody told of the change");
        assert_eq!(file.look().await.observation, Observation::Number(12));
        fs::write(&path, "many").unwrap();
        assert_eq!(file.look().await.observation, Observation::Fail);
        fs::remove_file(&path).unwrap();
        assert_eq!(file.look().await.observation, Observation::Fail);
    }
}
