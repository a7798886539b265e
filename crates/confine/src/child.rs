//! The child's side: the way into the confinement.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsRawFd;

use rustix::process::{
    DumpableBehavior, Signal, getpid, getppid, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use rustix::stdio::{dup2_stdin, stdin, stdout};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use crate::channel::Channel;
use crate::confinement::Confinement;
use crate::limits::Orders;
use crate::{filter, rules};

/// Confines this process, and tells its parent how far that went. To be called first of all, while
/// there is one thread: standard input is the connection to the parent, and every descriptor but the
/// standard ones is closed. A layer that cannot be had does not stop it; the parent decides.
pub fn enter() -> io::Result<(Channel, Confinement)> {
    let channel = Channel::of_child(stdin().try_clone_to_owned()?);
    dup2_stdin(stdout())?;
    let Some(orders) = channel.receive(1024)? else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let orders = Orders::decode(&orders.bytes)?;
    let kept = channel.socket().as_raw_fd();
    let mut confinement = Confinement { descriptors: close_others(kept), ..Confinement::default() };
    confinement.dies_with_parent = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
    // It may have gone before it could be tied to.
    if getppid().map(|parent| parent.as_raw_nonzero().get()) != Some(orders.parent) {
        return Err(io::Error::other("the parent is gone"));
    }
    // Of other threads neither Landlock nor the filters would hold. To see them takes memory, too.
    let alone = is_alone();
    confinement.limits = orders.apply().is_ok();
    confinement.not_dumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok();
    confinement.no_new_privileges = set_no_new_privs(true).is_ok();
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    confinement.no_capabilities = set_capabilities(None, none).is_ok();
    // What the filters do not allow can be set up no more: they come last.
    if alone {
        confinement.landlock = rules::deny_all();
        confinement.seccomp = filter::apply(kept, getpid().as_raw_nonzero().get());
    }
    channel.send(&confinement.encode(), &[])?;
    Ok((channel, confinement))
}

/// Closes every descriptor but the standard ones and `kept`. Whether that is so is known only where the
/// kernel shows them.
fn close_others(kept: i32) -> bool {
    let open = || -> io::Result<BTreeSet<i32>> {
        let mut found = BTreeSet::new();
        for entry in std::fs::read_dir("/proc/self/fd")? {
            found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
        }
        Ok(found)
    };
    let others = |found: BTreeSet<i32>| found.into_iter().filter(move |fd| *fd > 2 && *fd != kept);
    let Ok(found) = open() else { return false };
    for descriptor in others(found) {
        // The one that the list was read through is closed already.
        let _ = nix::unistd::close(descriptor);
    }
    // That of the list itself is the one that is left.
    open().is_ok_and(|found| others(found).count() <= 1)
}

/// Whether this process has one thread, as far as the kernel shows.
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_several_threads_is_not_alone() {
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert!(!is_alone());
        drop(end);
        drop(other.join());
    }
}
