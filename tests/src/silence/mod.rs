//! Whether a node that has not the virtual IPs keeps silent: what it sends as one of them, at its port, judged by
//! what its kernel took it for at that moment.
//!
//! A thread looks a thousand times a second at the words in each node's maps, which its kernel goes by, and listens at
//! the ports of those that are not Active. Stale traffic that a node sends on is somebody else's
//! speech, and shows a client's address as its source.

mod maps;
mod role;
mod speech;

use std::{
    collections::HashSet,
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};
use ha_common::abi::SCHEMA;
use socket2::Socket;

pub use self::speech::Speech;
use self::{
    maps::{Maps, schemas},
    role::{Roles, may},
    speech::speech,
};
use crate::{
    filter::{HEADERS, REJECT},
    lab::Lab,
    probe::{
        Clock,
        channel::{Inbox, prepare},
    },
    sys,
};

/// Time between two looks.
const ROUND: Duration = Duration::from_millis(1);
/// More frames than these are not kept: so many are a fault already.
const MOST: usize = 10_000;

/// A frame that a node must not have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The node.
    pub node: u8,
    /// When it came to the switch.
    pub at: Duration,
    /// What it says.
    pub speech: Speech,
    /// Its headers.
    pub frame: Vec<u8>,
}

/// The listening thread.
#[derive(Debug)]
pub struct Silence {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Slip>>>,
}

/// A node that is listened to.
struct Watched {
    node: u8,
    pins: PathBuf,
    /// `None` while maps of another schema are in force, or may be.
    maps: Option<Maps>,
    sockets: Vec<Socket>,
    is_open: bool,
    roles: Roles,
    said: Vec<Slip>,
}

impl Silence {
    /// Listens to all nodes of a lab, on which agents of ours are running with one group each.
    ///
    /// # Errors
    ///
    /// When their maps cannot be opened, or there is no socket or thread to be had.
    pub fn begin(lab: &Lab, clock: Clock) -> Result<Self> {
        let mut nodes = Vec::new();
        let mut vips = HashSet::new();
        for node in lab.nodes() {
            let maps = Maps::open(node.pins())?;
            vips.extend(maps.vips()?);
            let ports = lab.ports_of(node)?.into_iter();
            let sockets = ports.map(|(_, port)| lab.switch().run(|| Ok(open(port)?)));
            nodes.push(Watched {
                node: node.index(),
                pins: node.pins().to_owned(),
                maps: Some(maps),
                sockets: sockets.collect::<Result<_>>()?,
                is_open: true,
                roles: Roles::default(),
                said: Vec::new(),
            });
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("silence".to_owned())
            .spawn(move || listen(nodes, &vips, clock, &stopped))?;
        Ok(Self { stop, thread })
    }

    /// The frames that nobody must have sent.
    ///
    /// # Errors
    ///
    /// When frames were missed, so that nothing is known.
    pub fn end(self) -> Result<Vec<Slip>> {
        self.stop.store(true, Ordering::Release);
        let slips = self.thread.join();
        slips.map_err(|_| anyhow!("the thread that listens for silence panicked"))?
    }
}

fn open(ifindex: u32) -> std::io::Result<Socket> {
    let socket = sys::packet_socket(libc::ETH_P_ALL as u16, ifindex)?;
    socket.attach_filter(&[HEADERS])?;
    prepare(&socket)?;
    Ok(socket)
}

fn listen(
    mut nodes: Vec<Watched>,
    vips: &HashSet<IpAddr>,
    clock: Clock,
    stop: &AtomicBool,
) -> Result<Vec<Slip>> {
    // Where it is not allowed, there is less that is known for certain.
    let _ = sys::become_real_time();
    let mut inbox = Inbox::new(clock);
    let mut wake = clock.now();
    loop {
        let is_last = stop.load(Ordering::Acquire);
        inbox.adjust();
        for node in &mut nodes {
            node.look(clock)?;
            node.hear(&mut inbox, vips)?;
        }
        if is_last {
            break;
        }
        wake = clock.now().max(wake + ROUND);
        clock.sleep_until(wake);
    }
    let mut slips = Vec::new();
    for node in nodes {
        for socket in &node.sockets {
            let missed = sys::packet_drops(socket)?;
            ensure!(
                missed == 0,
                "{missed} frames were missed: the machine is too slow"
            );
        }
        let said = node.said.into_iter();
        slips.extend(said.filter(|slip| node.roles.forbid(slip.speech, slip.at)));
    }
    Ok(slips)
}

impl Watched {
    fn look(&mut self, clock: Clock) -> Result<()> {
        let before = clock.now();
        if schemas(&self.pins)? == [SCHEMA] {
            let maps = match &mut self.maps {
                Some(maps) => maps,
                gone @ None => gone.insert(Maps::open(&self.pins)?),
            };
            let words = maps.words()?;
            self.roles.note(words, before, clock.now());
            // To a node that may say everything it is not listened, so that this costs next to nothing.
            let is_free = Speech::ALL
                .iter()
                .all(|speech| may(words.standing(), *speech));
            self.listen(!is_free)
        } else {
            self.maps = None;
            self.roles.lose_sight();
            self.listen(false)
        }
    }

    fn listen(&mut self, is_open: bool) -> Result<()> {
        if is_open != self.is_open {
            for socket in &self.sockets {
                let filter = if is_open { HEADERS } else { REJECT };
                socket.attach_filter(&[filter])?;
            }
            self.is_open = is_open;
        }
        Ok(())
    }

    fn hear(&mut self, inbox: &mut Inbox, vips: &HashSet<IpAddr>) -> Result<()> {
        for socket in &self.sockets {
            while let Some((frame, at)) = inbox.next(socket)? {
                if let Some(speech) = speech(frame, vips)
                    && self.said.len() < MOST
                {
                    self.said.push(Slip {
                        node: self.node,
                        at,
                        speech,
                        frame: frame.to_vec(),
                    });
                }
            }
        }
        Ok(())
    }
}
