//! Who may change something: root, and the members of one configured group.

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use nix::unistd::{Gid, Uid, User, getgrouplist};
use tokio::net::{UnixListener, unix::UCred};

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writers {
    /// Members of this group may, beside root.
    pub group: Option<Gid>,
}

/// Who is at the other end of a connection, as the kernel knows it (`SO_PEERCRED`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(Option<UCred>);

impl Connected<IncomingStream<'_, UnixListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok())
    }
}

impl Writers {
    pub(super) fn admit(self, caller: Caller) -> bool {
        let Some(credentials) = caller.0 else {
            return false;
        };
        let (uid, gid) = (
            Uid::from_raw(credentials.uid()),
            Gid::from_raw(credentials.gid()),
        );
        uid.is_root()
            || self
                .group
                .is_some_and(|group| gid == group || is_member(uid, group))
    }
}

/// Whether the user database has `uid` in `group`, as a supplementary group.
fn is_member(uid: Uid, group: Gid) -> bool {
    let Ok(Some(user)) = User::from_uid(uid) else {
        return false;
    };
    let Ok(name) = std::ffi::CString::new(user.name) else {
        return false;
    };
    getgrouplist(&name, user.gid).is_ok_and(|groups| groups.contains(&group))
}

#[cfg(test)]
mod tests {
    use nix::unistd::{Gid, Uid};
    use tokio::net::UnixStream;

    use super::{Caller, Writers, is_member};

    #[tokio::test]
    async fn the_own_user_is_admitted_if_root_or_in_the_group() {
        let (one, _other) = UnixStream::pair().unwrap();
        let caller = Caller(one.peer_cred().ok());
        assert_eq!(
            Writers { group: None }.admit(caller),
            Uid::current().is_root()
        );
        assert!(
            Writers {
                group: Some(Gid::current())
            }
            .admit(caller)
        );
    }

    #[test]
    fn nobody_knows_nobody() {
        assert!(
            !Writers {
                group: Some(Gid::current())
            }
            .admit(Caller(None))
        );
        assert!(!is_member(Uid::from_raw(u32::MAX - 2), Gid::from_raw(0)));
    }
}
