//! Which of the members found hold what was last written.
//!
//! The member with the most events saw the last change of the array's state, so its word counts:
//! who has which role, and thereby who dropped out. A member that dropped out still calls itself a
//! part of the array, in a superblock that nobody has changed since.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::assemble::Member;
use super::superblock::Role;

/// By how many events a member may be behind: the state is written to one member after the other.
const MARGIN: u64 = 1;

/// What a member is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds all that this role should.
    Current(usize),
    /// It has no data: a spare, a journal, or called faulty by itself.
    Unused,
    /// It missed this many changes.
    Stale(u64),
    /// It was used without the newest member, as that was without it.
    Apart(u64),
    /// It has not yet got all that it should hold.
    Rebuilding,
    /// It describes another array.
    Different,
    /// The same member was found before, as this one of the list.
    Duplicate(usize),
}

/// The member with the most events of those that hold data, the first of several.
pub(super) fn newest(members: &[Member]) -> Option<&Member> {
    let mut newest: Option<&Member> = None;
    for member in members.iter().filter(|member| is_active(member)) {
        if newest.is_none_or(|newest| newest.superblock.events < member.superblock.events) {
            newest = Some(member);
        }
    }
    newest
}

fn is_active(member: &Member) -> bool {
    matches!(member.superblock.own_role(), Role::Active(_))
}

/// What each of the members is worth.
pub(super) fn standings(members: &[Member], newest: &Member) -> Vec<Standing> {
    let mut standings: Vec<Standing> =
        members.iter().map(|member| standing(member, newest)).collect();
    // The same number, state and role is the same member, seen twice.
    let mut seen = HashMap::new();
    for (index, (member, standing)) in members.iter().zip(&mut standings).enumerate() {
        let superblock = &member.superblock;
        let Role::Active(slot) = superblock.own_role() else { continue };
        match seen.entry((superblock.number, superblock.events, slot)) {
            Entry::Occupied(first) => *standing = Standing::Duplicate(*first.get()),
            Entry::Vacant(entry) => {
                entry.insert(index);
            }
        }
    }
    standings
}

fn standing(member: &Member, newest: &Member) -> Standing {
    let (ours, theirs) = (&member.superblock, &newest.superblock);
    let own = ours.own_role();
    let Role::Active(slot) = own else {
        return Standing::Unused;
    };
    let behind = theirs.events.saturating_sub(ours.events);
    if theirs.role_of(ours.number) != own || behind > MARGIN {
        let without = ours.role_of(theirs.number) != theirs.own_role();
        return if without { Standing::Apart(behind) } else { Standing::Stale(behind) };
    }
    if ours.shape != theirs.shape || slot >= theirs.shape.devices {
        return Standing::Different;
    }
    if ours.rebuilding { Standing::Rebuilding } else { Standing::Current(slot as usize) }
}
