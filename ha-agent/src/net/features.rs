//! What an interface can do with XDP, as the kernel says (generic netlink, family `netdev`, since Linux 6.3).
//!
//! That a driver can take frames that are redirected is not enough: of a veth the other end has to poll, which it does
//! while it has generic receive offload or a program. The kernel knows, and says so here.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// `GENL_ID_CTRL`, `include/uapi/linux/genetlink.h`.
const CONTROL: u16 = 0x10;
/// `CTRL_CMD_GETFAMILY`.
const GET_FAMILY: u8 = 3;
/// `CTRL_ATTR_FAMILY_ID`.
const FAMILY_ID: u16 = 1;
/// `CTRL_ATTR_FAMILY_NAME`.
const FAMILY_NAME: u16 = 2;
/// `NETDEV_FAMILY_NAME`, `include/uapi/linux/netdev.h`.
const NAME: &[u8] = b"netdev\0";
/// `NETDEV_CMD_DEV_GET`.
const GET_DEVICE: u8 = 1;
/// `NETDEV_A_DEV_IFINDEX`.
const IFINDEX: u16 = 1;
/// `NETDEV_A_DEV_XDP_FEATURES`.
const XDP_FEATURES: u16 = 3;
/// `NLMSG_ERROR`, `include/uapi/linux/netlink.h`.
const ERROR: u16 = 2;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;

/// Octets of `struct nlmsghdr` and `struct genlmsghdr`.
const HEADER: usize = 16 + 4;
/// Octets before what an attribute holds.
const ATTRIBUTE: usize = 4;
/// Room for an answer.
const ROOM: usize = 8192;

/// `NETDEV_XDP_ACT_NDO_XMIT`: takes frames that are redirected.
const TAKES: u64 = 1 << 2;
/// `NETDEV_XDP_ACT_NDO_XMIT_SG`: of several buffers, too.
const TAKES_BUFFERS: u64 = 1 << 6;

/// What an interface does with frames that a program redirects to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// It takes them.
    pub takes: bool,
    /// It also takes those of several buffers.
    pub takes_buffers: bool,
}

impl Reception {
    /// Of the interface `index`; `None` if the kernel is too old to tell.
    ///
    /// # Errors
    /// The kernel's, as if there is no such interface.
    pub fn of(index: u32) -> io::Result<Option<Self>> {
        let socket = Requests::open()?;
        let Some(family) = socket.family()? else {
            return Ok(None);
        };
        let answer = socket.ask(family, GET_DEVICE, IFINDEX, &index.to_ne_bytes())?;
        let bits = attribute(&answer, XDP_FEATURES).and_then(|bits| bits.try_into().ok());
        let bits = u64::from_ne_bytes(bits.unwrap_or_default());
        Ok(Some(Self {
            takes: bits & TAKES != 0,
            takes_buffers: bits & TAKES_BUFFERS != 0,
        }))
    }
}

/// A socket for questions to the kernel, which answers each of them before the call returns.
struct Requests(OwnedFd);

impl Requests {
    fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkGeneric,
        )?;
        Ok(Self(socket))
    }

    /// The number of the family; `None` if the kernel has none.
    fn family(&self) -> io::Result<Option<u16>> {
        match self.ask(CONTROL, GET_FAMILY, FAMILY_NAME, NAME) {
            Ok(answer) => {
                let id = attribute(&answer, FAMILY_ID).and_then(|id| id.try_into().ok());
                Ok(id.map(u16::from_ne_bytes))
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts a question with one attribute; the attributes of the answer.
    fn ask(&self, family: u16, command: u8, kind: u16, value: &[u8]) -> io::Result<Vec<u8>> {
        let fd = self.0.as_raw_fd();
        let message = message(family, command, kind, value);
        sendto(fd, &message, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
        let mut answer = vec![0; ROOM];
        let len = recv(fd, &mut answer, MsgFlags::empty())?;
        answer.truncate(len);
        if half(&answer, 4) == Some(ERROR) {
            let code = answer.get(16..20).and_then(|code| code.try_into().ok());
            let code = i32::from_ne_bytes(code.unwrap_or_default());
            return Err(io::Error::from_raw_os_error(-code));
        }
        Ok(answer.split_off(HEADER.min(answer.len())))
    }
}

fn message(family: u16, command: u8, kind: u16, value: &[u8]) -> Vec<u8> {
    let attribute_len = ATTRIBUTE + value.len();
    let len = HEADER + attribute_len.next_multiple_of(4);
    let mut message = Vec::with_capacity(len);
    message.extend((len as u32).to_ne_bytes());
    message.extend(family.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    // Sequence number and port: there is one question at a time.
    message.extend([0; 8]);
    message.extend([command, 1, 0, 0]);
    message.extend((attribute_len as u16).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(len, 0);
    message
}

/// What the attribute of this kind holds.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    /// `NLA_TYPE_MASK`.
    const KIND: u16 = 0x3fff;
    loop {
        let len = usize::from(half(attributes, 0)?);
        let kind = half(attributes, 2)? & KIND;
        if kind == wanted {
            return attributes.get(ATTRIBUTE..len);
        }
        attributes = attributes.get(len.max(ATTRIBUTE).next_multiple_of(4)..)?;
    }
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    let half = octets.get(at..at + 2)?.try_into().ok()?;
    Some(u16::from_ne_bytes(half))
}

#[cfg(test)]
mod tests {
    use super::{IFINDEX, Reception, XDP_FEATURES, attribute, message};

    #[test]
    fn a_message_is_padded_and_read_back() {
        let message = message(0x10, 3, 2, b"netdev\0");
        assert_eq!(message.len(), 16 + 4 + 4 + 8);
        assert_eq!(attribute(&message[20..], 2), Some(&b"netdev\0"[..]));
        assert_eq!(attribute(&message[20..], 3), None);
        assert_eq!(attribute(&[3, 0], 3), None);
        assert_eq!(
            attribute(&[0; 16], 3),
            None,
            "ends although no length is right"
        );
    }

    #[test]
    fn attributes_follow_each_other() {
        let mut two = message(0, 0, IFINDEX, &7_u32.to_ne_bytes()).split_off(20);
        two.extend(message(0, 0, XDP_FEATURES, &68_u64.to_ne_bytes()).split_off(20));
        assert_eq!(
            attribute(&two, XDP_FEATURES),
            Some(&68_u64.to_ne_bytes()[..])
        );
    }

    #[test]
    fn loopback_takes_nothing_that_is_redirected() {
        // Kernels before 6.3 do not say.
        if let Some(features) = Reception::of(1).unwrap() {
            assert_eq!(features, Reception::default());
        }
        assert!(Reception::of(u32::MAX >> 1).is_err() || Reception::of(1).unwrap().is_none());
    }
}
