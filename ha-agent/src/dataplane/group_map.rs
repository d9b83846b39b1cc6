//! `ha_group`, memory-mapped: the role word is one aligned store, which no system call promises.
#![expect(
    unsafe_code,
    reason = "the map is memory that is shared with the kernel"
)]

use std::{
    mem::size_of,
    os::fd::{AsFd, AsRawFd},
    ptr::{read_volatile, write_volatile},
    sync::atomic::{AtomicU64, Ordering, fence},
};

use anyhow::{Context, Result, ensure};
use aya::maps::MapData;
use ha_common::abi::{
    Demotion, GROUP_MOVES, GROUP_SETTLES, GROUP_USED, Group, MAX_GROUPS, RoleWord,
};
use memmap2::{MmapOptions, MmapRaw};

/// The mapping. Several may exist, also in other processes; the kernel reads and writes it too.
#[derive(Debug)]
pub struct GroupMap {
    memory: MmapRaw,
}

impl GroupMap {
    /// Maps the map `data`, whose shape must have been checked.
    ///
    /// # Errors
    /// If it is not memory-mappable or too small.
    pub fn new(data: &MapData) -> Result<Self> {
        let len = MAX_GROUPS as usize * size_of::<Group>();
        let memory = MmapOptions::new()
            .len(len)
            .map_raw(data.fd().as_fd().as_raw_fd())
            .context("cannot map ha_group into memory")?;
        ensure!(memory.len() >= len, "ha_group is too small");
        Ok(Self { memory })
    }

    /// The slot as it is at this moment: each of the two words is read whole, the rest is not changed
    /// while a group is in use.
    #[must_use]
    pub fn group(&self, slot: u32) -> Group {
        let element = self.element(slot);
        // SAFETY: `element` points at a live, aligned `Group` of shared memory, for which every bit
        // pattern is a value; a volatile read makes no assumption about who else writes.
        let group = unsafe { read_volatile(element) };
        Group {
            word: self.word(slot),
            demoted: self.demotion(slot),
            ..group
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
        unsafe { write_volatile(&raw mut (*self.element(slot)).priority, priority) };
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
        let element = self.element(slot);
        // SAFETY: as in `set_priority`; the kernel only reads the flags.
        unsafe {
            let flags = read_volatile(&raw const (*element).flags) & !flag;
            let flags = if is_set { flags | flag } else { flags };
            write_volatile(&raw mut (*element).flags, flags);
        }
        // Before the word that makes it count.
        fence(Ordering::SeqCst);
    }

    /// Replaces the flags that the configuration decides, all at once: the group is served meanwhile.
    pub fn set_flags(&self, slot: u32, flags: u16) {
        let element = self.element(slot);
        // SAFETY: as in `set_priority`; the kernel only reads the flags.
        unsafe {
            let kept = GROUP_USED | GROUP_MOVES;
            let before = read_volatile(&raw const (*element).flags) & kept;
            write_volatile(&raw mut (*element).flags, flags & !kept | before);
        }
    }

    /// Writes all fields but the two words and the priority: [`GROUP_USED`] last when it is set, and
    /// first when it is not.
    pub fn set_fields(&self, slot: u32, group: &Group) {
        let element = self.element(slot);
        let in_use = group.flags & GROUP_USED != 0;
        // SAFETY: all places are inside the live, aligned element; volatile writes make no assumption
        // about who else reads. The fences keep the flag on its side of the other fields.
        unsafe {
            write_volatile(&raw mut (*element).flags, group.flags & !GROUP_USED);
            fence(Ordering::SeqCst);
            write_volatile(&raw mut (*element).ifindex, group.ifindex);
            write_volatile(&raw mut (*element).vrid, group.vrid);
            write_volatile(&raw mut (*element).mac4, group.mac4);
            write_volatile(&raw mut (*element).mac6, group.mac6);
            write_volatile(&raw mut (*element).nic, group.nic);
            write_volatile(&raw mut (*element).name, group.name);
            if in_use {
                fence(Ordering::SeqCst);
                write_volatile(&raw mut (*element).flags, group.flags);
            }
        }
    }

    /// All slots up to the last one that is in use or has a word.
    #[must_use]
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<_> = (0..MAX_GROUPS).map(|slot| self.group(slot)).collect();
        let unused = |group: &Group| *group == Group::default();
        while groups.last().is_some_and(unused) {
            groups.pop();
        }
        groups
    }

    fn role_word(&self, slot: u32) -> &AtomicU64 {
        let element = self.element(slot);
        // SAFETY: the word lies at the start of the live element, aligned to 8 (asserted in the ABI),
        // and is only ever accessed as a whole, here and in the kernel.
        unsafe { AtomicU64::from_ptr((&raw mut (*element).word).cast()) }
    }

    fn demotion_word(&self, slot: u32) -> &AtomicU64 {
        let element = self.element(slot);
        // SAFETY: as in `role_word`; the demotion word is the second one of the element.
        unsafe { AtomicU64::from_ptr((&raw mut (*element).demoted).cast()) }
    }

    fn element(&self, slot: u32) -> *mut Group {
        assert!(slot < MAX_GROUPS, "slot {slot} is outside of ha_group");
        // SAFETY: `new` checked that the mapping has room for `MAX_GROUPS` elements, and it starts at
        // a page, so the element is inside and aligned.
        unsafe { self.memory.as_mut_ptr().cast::<Group>().add(slot as usize) }
    }
}
