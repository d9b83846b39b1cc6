//! The socket file.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::net::UnixListener;

/// Everybody may connect and read; who may write is checked for each request.
const MODE: u32 = 0o666;

/// The bound control socket. Its file goes away with it.
#[derive(Debug)]
pub struct Listener {
    pub(super) inner: UnixListener,
    pub(super) _file: SocketFile,
}

#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Listener {
    /// Binds `path`, whose directory is made if it is missing. A socket that a dead agent left
    /// behind is replaced.
    ///
    /// # Errors
    /// If another process answers there, or the file cannot be made.
    pub fn bind(path: &Path) -> Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        }
        remove_stale(path)?;
        let inner = UnixListener::bind(path)
            .with_context(|| format!("cannot bind the control socket {}", path.display()))?;
        let file = SocketFile(path.to_owned());
        fs::set_permissions(path, fs::Permissions::from_mode(MODE))
            .with_context(|| format!("cannot set the mode of {}", path.display()))?;
        Ok(Self { inner, _file: file })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Nothing to be done if it has gone already.
        let _ = fs::remove_file(&self.0);
    }
}

fn remove_stale(path: &Path) -> Result<()> {
    // A connection to a file that is no socket is refused too; such a file is somebody's.
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => bail!("{} is there and is no socket: move it away", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot look at {}", path.display()));
        }
    }
    match UnixStream::connect(path) {
        Ok(_) => bail!(
            "another agent answers on {}: stop it, or give this one its own `control.socket`",
            path.display()
        ),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)
            .with_context(|| format!("cannot remove the stale socket {}", path.display())),
        Err(error) => Err(error)
            .with_context(|| format!("cannot use {} as the control socket", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!(
            "ha-agent-{}-{name}/control.sock",
            std::process::id()
        ))
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_the_file_goes_with_the_listener() {
        let path = scratch("stale");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a socket's file outlives it");
        let listener = Listener::bind(&path).unwrap();
        drop(listener);
        assert!(!path.exists());
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn a_second_agent_is_refused() {
        let path = scratch("second");
        let first = Listener::bind(&path).unwrap();
        let error = Listener::bind(&path).unwrap_err().to_string();
        assert!(error.contains("another agent answers"), "{error}");
        drop(first);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_not_removed() {
        let path = scratch("file");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(Listener::bind(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
