//! Seccomp: the system calls that are left.
//!
//! The list says what a program needs that computes, has threads, reads descriptors that it was given
//! and talks to its parent. Whatever is not in it fails with `EPERM`, so that a library that asks for
//! something it could do without goes on; of another architecture's calls, the first one kills.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Calls that are allowed whatever their arguments.
const FREE: &[i64] = &[
    // Bytes of descriptors. None is open for writing but standard error and the channel.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads and locks.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    // See `without_clone3`.
    libc::SYS_clone3,
    // Its own signals.
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    // Clocks and randomness.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
];

/// Leaves this thread, and all that it will start, the calls of the list. `channel` is the socket to
/// the parent, `process` the process itself.
pub(crate) fn apply(channel: i32, process: i32) -> bool {
    let programs = allowed(channel, process).and_then(|main| Ok((without_clone3()?, main)));
    let Ok((clone3, main)) = programs else { return false };
    // The second one forbids to add a third.
    apply_filter(&clone3).is_ok() && apply_filter(&main).is_ok()
}

fn allowed(channel: i32, process: i32) -> Result<BpfProgram, BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        FREE.iter().map(|call| (*call, Vec::new())).collect();
    let mut when = |call: i64, conditions: Vec<SeccompCondition>| {
        SeccompRule::new(conditions).map(|rule| rules.entry(call).or_default().push(rule))
    };
    let is = |argument, value: i32| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value as u64)
    };
    let masked = |argument, mask: i32, value: i32| {
        let mask = SeccompCmpOp::MaskedEq(mask as u32 as u64);
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, mask, value as u32 as u64)
    };
    when(libc::SYS_sendmsg, vec![is(0, channel)?])?;
    when(libc::SYS_recvmsg, vec![is(0, channel)?])?;
    // Memory that can be written to is never executed, and no other is made.
    when(libc::SYS_mmap, vec![masked(2, libc::PROT_EXEC, 0)?])?;
    when(libc::SYS_mprotect, vec![masked(2, libc::PROT_EXEC, 0)?])?;
    // Threads of this process, and no other process.
    let namespaces = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    let a_thread = libc::CLONE_THREAD | libc::CLONE_VM | libc::CLONE_SIGHAND;
    when(libc::SYS_clone, vec![masked(0, a_thread, a_thread)?, masked(0, namespaces, 0)?])?;
    // To abort.
    when(libc::SYS_tgkill, vec![is(0, process)?])?;
    when(libc::SYS_prctl, vec![is(0, libc::PR_SET_NAME)?])?;
    for command in [libc::F_GETFD, libc::F_GETFL, libc::F_DUPFD_CLOEXEC] {
        when(libc::SYS_fcntl, vec![is(1, command)?])?;
    }
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, denied, SeccompAction::Allow, architecture()?)?.try_into()
}

/// What `clone3` is asked for lies in memory, where no filter sees it. To who is told that the kernel
/// does not know it, there is still `clone`.
fn without_clone3() -> Result<BpfProgram, BackendError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, unknown, architecture()?)?.try_into()
}

fn architecture() -> Result<TargetArch, BackendError> {
    std::env::consts::ARCH.try_into()
}
