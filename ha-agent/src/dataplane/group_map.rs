//! `ha_group`, memory-mapped: the role word is one aligned store, which no system call promises.
//!
//! That of another schema is read and written here, too, where its type information says that the fields are.
#![expect(
    unsafe_code,
    reason = "the map is memory that is shared with the kernel"
)]

use std::{
    mem::{offset_of, size_of},
    os::fd::{AsFd, AsRawFd},
    ptr::{read_volatile, write_volatile},
    sync::atomic::{AtomicU64, Ordering, fence},
};

use anyhow::{Context, Result, ensure};
use aya::maps::MapData;
use ha_common::abi::{
    Demotion, GROUP_MOVES, GROUP_SETTLES, GROUP_USED, Group, MAX_GROUPS, Mac, RoleWord,
};
use ha_core::plan::GroupFields;
use memmap2::{MmapOptions, MmapRaw};

/// Elements of an array that is memory-mapped lie this far apart, or a multiple of it (`array_map_alloc`,
/// `kernel/bpf/arraymap.c`).
const ELEMENT_ALIGN: usize = 8;

/// Where everything is in a map of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    stride: usize,
    slots: u32,
    word: usize,
    demoted: usize,
    ifindex: usize,
    flags: usize,
    vrid: usize,
    priority: usize,
    mac4: usize,
    mac6: usize,
    nic: usize,
    name: usize,
}

/// A field that is looked for: its name, and what is needed of it in octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) len: usize,
    pub(super) align: usize,
}

impl Layout {
    /// This agent's.
    const OWN: Self = Self {
        stride: size_of::<Group>(),
        slots: MAX_GROUPS,
        word: offset_of!(Group, word),
        demoted: offset_of!(Group, demoted),
        ifindex: offset_of!(Group, ifindex),
        flags: offset_of!(Group, flags),
        vrid: offset_of!(Group, vrid),
        priority: offset_of!(Group, priority),
        mac4: offset_of!(Group, mac4),
        mac6: offset_of!(Group, mac6),
        nic: offset_of!(Group, nic),
        name: offset_of!(Group, name),
    };

    /// That of a map with values of `value_len` octets and `slots` of them, whose fields are where `find` says.
    ///
    /// # Errors
    /// Those of `find`, which must see to it that a field is inside of its element and aligned.
    pub(super) fn from_places(
        value_len: usize,
        slots: u32,
        find: impl Fn(Place) -> Result<usize>,
    ) -> Result<Self> {
        let place = |name, len, align| find(Place { name, len, align });
        Ok(Self {
            stride: value_len.next_multiple_of(ELEMENT_ALIGN),
            slots,
            word: place("word", size_of::<RoleWord>(), align_of::<RoleWord>())?,
            demoted: place("demoted", size_of::<Demotion>(), align_of::<Demotion>())?,
            ifindex: place("ifindex", size_of::<u32>(), align_of::<u32>())?,
            flags: place("flags", size_of::<u16>(), align_of::<u16>())?,
            vrid: place("vrid", 1, 1)?,
            priority: place("priority", 1, 1)?,
            mac4: place("mac4", size_of::<Mac>(), align_of::<Mac>())?,
            mac6: place("mac6", size_of::<Mac>(), align_of::<Mac>())?,
            nic: place("nic", size_of::<Mac>(), align_of::<Mac>())?,
            name: place("name", size_of::<[u8; 22]>(), 1)?,
        })
    }
}

/// The mapping. Several may exist, also in other processes; the kernel reads and writes it too.
#[derive(Debug)]
pub struct GroupMap {
    memory: MmapRaw,
    layout: Layout,
}

impl GroupMap {
    /// Maps the map `data`, whose shape must have been checked.
    ///
    /// # Errors
    /// If it is not memory-mappable or too small.
    pub fn new(data: &MapData) -> Result<Self> {
        Self::with_layout(data, Layout::OWN)
    }

    /// Maps the map `data`, which has this layout.
    ///
    /// # Errors
    /// As [`GroupMap::new`].
    pub(super) fn with_layout(data: &MapData, layout: Layout) -> Result<Self> {
        let len = layout.slots as usize * layout.stride;
        let memory = MmapOptions::new()
            .len(len)
            .map_raw(data.fd().as_fd().as_raw_fd())
            .context("cannot map ha_group into memory")?;
        ensure!(memory.len() >= len, "ha_group is too small");
        Ok(Self { memory, layout })
    }

    /// The slot as it is at this moment: each of the two words is read whole, the rest is not changed
    /// while a group is in use. Zeros where there is no such slot.
    #[must_use]
    pub fn group(&self, slot: u32) -> Group {
        if slot >= self.layout.slots {
            return Group::default();
        }
        let Layout {
            ifindex,
            flags,
            vrid,
            priority,
            mac4,
            mac6,
            nic,
            name,
            ..
        } = self.layout;
        // SAFETY: the places are live and aligned in shared memory, of types for which every bit pattern is
        // a value; volatile reads make no assumption about who else writes.
        unsafe {
            Group {
                word: self.word(slot),
                demoted: self.demotion(slot),
                ifindex: read_volatile(self.at(slot, ifindex)),
                flags: read_volatile(self.at(slot, flags)),
                vrid: read_volatile(self.at(slot, vrid)),
                priority: read_volatile(self.at(slot, priority)),
                mac4: read_volatile(self.at(slot, mac4)),
                mac6: read_volatile(self.at(slot, mac6)),
                nic: read_volatile(self.at(slot, nic)),
                name: read_volatile(self.at(slot, name)),
                #[cfg(feature = "variant-schema")]
                spare: [0; 2],
            }
        }
    }

    /// The role word.
    #[must_use]
    pub fn word(&self, slot: u32) -> RoleWord {
        RoleWord::from_bits(self.role_word(slot).load(Ordering::Acquire))
    }

    /// The demotion word, which the kernel writes.
    #[must_use]
    pub fn demotion(&self, slot: u32) -> Demotion {
        Demotion::from_bits(self.demotion_word(slot).load(Ordering::Acquire))
    }

    /// Stores the role word with one aligned write. This is the whole failover.
    pub fn store(&self, slot: u32, word: RoleWord) {
        self.role_word(slot)
            .store(word.to_bits(), Ordering::Release);
    }

    /// Stores the priority now in force.
    pub fn set_priority(&self, slot: u32, priority: u8) {
        // SAFETY: the field is inside the live element; a volatile write of one octet is whole.
        unsafe { write_volatile(self.at(slot, self.layout.priority), priority) };
    }

    /// Says whether the group changes hands at this moment.
    pub fn set_moves(&self, slot: u32, moves: bool) {
        self.set_flag(slot, GROUP_MOVES, moves);
    }

    /// Says whether the group's new work is handed on to the heir.
    pub fn set_settles(&self, slot: u32, settles: bool) {
        self.set_flag(slot, GROUP_SETTLES, settles);
    }

    fn set_flag(&self, slot: u32, flag: u16, is_set: bool) {
        let place = self.at::<u16>(slot, self.layout.flags);
        // SAFETY: as in `set_priority`; the kernel only reads the flags.
        unsafe {
            let flags = read_volatile(place) & !flag;
            write_volatile(place, if is_set { flags | flag } else { flags });
        }
        // Before the word that makes it count.
        fence(Ordering::SeqCst);
    }

    /// Replaces the flags that the configuration decides, all at once: the group is served meanwhile.
    pub fn set_flags(&self, slot: u32, flags: u16) {
        let place = self.at::<u16>(slot, self.layout.flags);
        // SAFETY: as in `set_priority`; the kernel only reads the flags.
        unsafe {
            let kept = GROUP_USED | GROUP_MOVES | GROUP_SETTLES;
            let before = read_volatile(place) & kept;
            write_volatile(place, flags & !kept | before);
        }
    }

    /// Writes all fields but the two words and the priority: [`GROUP_USED`] last when it is set, and
    /// first when it is not.
    pub fn set_fields(&self, slot: u32, group: &Group) {
        let in_use = group.flags & GROUP_USED != 0;
        let layout = self.layout;
        // SAFETY: all places are inside the live, aligned element; volatile writes make no assumption
        // about who else reads. The fences keep the flag on its side of the other fields.
        unsafe {
            write_volatile(self.at(slot, layout.flags), group.flags & !GROUP_USED);
            fence(Ordering::SeqCst);
            write_volatile(self.at(slot, layout.ifindex), group.ifindex);
            write_volatile(self.at(slot, layout.vrid), group.vrid);
            write_volatile(self.at(slot, layout.mac4), group.mac4);
            write_volatile(self.at(slot, layout.mac6), group.mac6);
            write_volatile(self.at(slot, layout.nic), group.nic);
            write_volatile(self.at(slot, layout.name), group.name);
            if in_use {
                fence(Ordering::SeqCst);
                write_volatile(self.at(slot, layout.flags), group.flags);
            }
        }
    }

    /// Has a group served on another interface from now on, which may go on meanwhile: the interface comes last, and
    /// no frame is answered on both.
    pub fn move_to(&self, slot: u32, fields: &GroupFields) {
        let layout = self.layout;
        // SAFETY: as in `set_fields`.
        unsafe {
            write_volatile(self.at(slot, layout.mac4), fields.mac4);
            write_volatile(self.at(slot, layout.mac6), fields.mac6);
            write_volatile(self.at(slot, layout.nic), fields.nic);
            fence(Ordering::SeqCst);
            write_volatile(self.at(slot, layout.ifindex), fields.ifindex);
            fence(Ordering::SeqCst);
        }
    }

    /// Carries a group over from another map, with its demotion, and as Backup: nothing that the kernel reads
    /// for a frame may name this map yet.
    pub(super) fn carry(&self, slot: u32, group: &Group) {
        let word = RoleWord {
            role: 0,
            ..group.word
        };
        self.store(slot, word);
        self.demotion_word(slot)
            .store(group.demoted.to_bits(), Ordering::Release);
        self.set_priority(slot, group.priority);
        self.set_fields(slot, group);
    }

    /// All slots up to the last one that is in use or has a word.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<_> = (0..self.layout.slots)
            .map(|slot| self.group(slot))
            .collect();
        let unused = |group: &Group| *group == Group::default();
        while groups.last().is_some_and(unused) {
            groups.pop();
        }
        groups
    }

    fn role_word(&self, slot: u32) -> &AtomicU64 {
        // SAFETY: the word lies in the live element, aligned to 8 (asserted in the ABI, or looked up), and is
        // only ever accessed as a whole, here and in the kernel.
        unsafe { AtomicU64::from_ptr(self.at(slot, self.layout.word)) }
    }

    fn demotion_word(&self, slot: u32) -> &AtomicU64 {
        // SAFETY: as in `role_word`.
        unsafe { AtomicU64::from_ptr(self.at(slot, self.layout.demoted)) }
    }

    /// A field of a slot, which is at this place of the layout.
    fn at<T>(&self, slot: u32, offset: usize) -> *mut T {
        let Layout { stride, slots, .. } = self.layout;
        assert!(slot < slots, "slot {slot} is outside of ha_group");
        // SAFETY: `with_layout` checked that the mapping has room for all elements, it starts at a page, and a
        // layout's places are inside of an element and aligned.
        unsafe {
            self.memory
                .as_mut_ptr()
                .add(slot as usize * stride + offset)
        }
        .cast()
    }
}
