//! What a child must not be able to do.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, ResolveFlags, memfd_create, openat2};
use rustix::process::{Pid, getppid, test_kill_process};

/// What succeeds in a free child, so that its denial means something.
pub(crate) const SUCCEED: &[&str] = &[
    "open a file to read",
    "open a file to write",
    "create a file",
    "open the root",
    "open /proc/self/maps",
    "openat2",
    "stat a path",
    "list a folder",
    "remove a file",
    "memory file",
    "connect to TCP",
    "connect to a socket with a path",
    "UDP socket",
    "abstract socket",
    "socket pair",
    "start a program",
    "fork",
    "signal the parent",
    "pipe",
    "change folder",
    "set a limit",
    "become dumpable",
];

/// What only root may do, or what the settings of a machine may deny to others.
pub(crate) const NEED_ROOT: &[&str] = &[
    "open the parent's memory",
    "ptrace attach",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "mount",
    "umount2",
    "move_mount",
    "fsopen",
    "open_tree",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "init_module",
    "kexec_load",
    "reboot",
    "keyctl",
    "add_key",
    "fanotify_init",
    "open_by_handle_at",
    "swapon",
    "sethostname",
    "setuid",
    "quotactl",
    "clone3",
    "seccomp",
    "ptrace seize",
];

/// Tries everything; a line each: the name and the number of the error.
pub(crate) fn all(file: &str, socket: &str, port: u16) -> String {
    let mut text = String::new();
    let mut note = |name: &str, outcome: io::Result<()>| {
        let number = match outcome {
            Ok(()) => 0,
            Err(error) => error.raw_os_error().unwrap_or(match error.kind() {
                ErrorKind::PermissionDenied => libc::EPERM,
                _ => -1,
            }),
        };
        text.push_str(&format!("{name}={number}\n"));
    };
    let parent = getppid().unwrap_or(Pid::INIT);
    let of_parent = parent.as_raw_nonzero().get();

    note("open a file to read", File::open(file).map(drop));
    note("open a file to write", File::options().append(true).open(file).map(drop));
    note("create a file", File::create(format!("{file}.new")).map(drop));
    note("open the root", File::open("/").map(drop));
    note("open /proc/self/maps", File::open("/proc/self/maps").map(drop));
    note("open the parent's memory", File::open(format!("/proc/{of_parent}/mem")).map(drop));
    let opened = openat2(CWD, file, OFlags::RDONLY, Mode::empty(), ResolveFlags::empty());
    note("openat2", opened.map(drop).map_err(Into::into));
    note("stat a path", std::fs::metadata(file).map(drop));
    note("list a folder", std::fs::read_dir("/").map(drop));
    note("remove a file", std::fs::remove_file(format!("{file}.new")));
    note("memory file", memfd_create("x", MemfdFlags::empty()).map(drop).map_err(Into::into));

    note("connect to TCP", TcpStream::connect(("127.0.0.1", port)).map(drop));
    note("connect to a socket with a path", UnixStream::connect(socket).map(drop));
    note("UDP socket", UdpSocket::bind("127.0.0.1:0").map(drop));
    let name = SocketAddr::from_abstract_name(format!("x{}", std::process::id()));
    let abstracted = name.and_then(|name| std::os::unix::net::UnixListener::bind_addr(&name));
    note("abstract socket", abstracted.map(drop));
    note("socket pair", UnixStream::pair().map(drop));

    note("start a program", Command::new("/bin/true").status().map(drop));
    note("execute in place", Err(Command::new("/nonexistent/program").exec()));
    note("fork", fork());
    note("signal the parent", test_kill_process(parent).map_err(Into::into));
    let this = rustix::process::getpid();
    note("pipe", std::io::pipe().map(drop));
    note("change folder", std::env::set_current_dir("/"));
    let limit = rustix::process::Rlimit { current: Some(200), maximum: Some(200) };
    let raised = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
    note("set a limit", raised.map_err(Into::into));
    let dumpable = rustix::process::DumpableBehavior::Dumpable;
    let dumpable = rustix::process::set_dumpable_behavior(dumpable);
    note("become dumpable", dumpable.map_err(Into::into));

    let (itself, parent) = (this.as_raw_nonzero().get().into(), of_parent.into());
    let calls: &[(&str, i64, [i64; 6])] = &[
        ("ptrace attach", libc::SYS_ptrace, [16, i64::from(i32::MAX), 0, 0, 0, 0]),
        ("ptrace seize", libc::SYS_ptrace, [0x4206, i64::from(i32::MAX), 0, 0, 0, 0]),
        ("process_vm_readv", libc::SYS_process_vm_readv, [parent, 0, 0, 0, 0, 0]),
        ("process_vm_writev", libc::SYS_process_vm_writev, [parent, 0, 0, 0, 0, 0]),
        ("pidfd_open", libc::SYS_pidfd_open, [itself, 0, 0, 0, 0, 0]),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, [-1, 0, 0, 0, 0, 0]),
        ("kill", libc::SYS_kill, [parent, 0, 0, 0, 0, 0]),
        ("tkill", libc::SYS_tkill, [parent, 0, 0, 0, 0, 0]),
        ("tgkill of the parent", libc::SYS_tgkill, [parent, parent, 0, 0, 0, 0]),
        ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, [parent, 0, 0, 0, 0, 0]),
        ("execve", libc::SYS_execve, [0, 0, 0, 0, 0, 0]),
        ("execveat", libc::SYS_execveat, [-1, 0, 0, 0, 0, 0]),
        ("bpf", libc::SYS_bpf, [-1, 0, 0, 0, 0, 0]),
        ("io_uring_setup", libc::SYS_io_uring_setup, [0, 0, 0, 0, 0, 0]),
        ("mount", libc::SYS_mount, [0, 0, 0, 0, 0, 0]),
        ("umount2", libc::SYS_umount2, [0, 0, 0, 0, 0, 0]),
        ("move_mount", libc::SYS_move_mount, [-1, 0, -1, 0, 0, 0]),
        ("fsopen", libc::SYS_fsopen, [0, 0, 0, 0, 0, 0]),
        ("open_tree", libc::SYS_open_tree, [-1, 0, 0, 0, 0, 0]),
        ("pivot_root", libc::SYS_pivot_root, [0, 0, 0, 0, 0, 0]),
        ("chroot", libc::SYS_chroot, [0, 0, 0, 0, 0, 0]),
        ("setns", libc::SYS_setns, [-1, 0, 0, 0, 0, 0]),
        ("unshare", libc::SYS_unshare, [1, 0, 0, 0, 0, 0]),
        ("keyctl", libc::SYS_keyctl, [-1, 0, 0, 0, 0, 0]),
        ("add_key", libc::SYS_add_key, [0, 0, 0, 0, 0, 0]),
        ("userfaultfd", libc::SYS_userfaultfd, [-1, 0, 0, 0, 0, 0]),
        ("perf_event_open", libc::SYS_perf_event_open, [0, 0, 0, 0, 0, 0]),
        ("fanotify_init", libc::SYS_fanotify_init, [-1, 0, 0, 0, 0, 0]),
        ("inotify_init1", libc::SYS_inotify_init1, [-1, 0, 0, 0, 0, 0]),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, [-1, 0, 0, 0, 0, 0]),
        ("init_module", libc::SYS_init_module, [0, 0, 0, 0, 0, 0]),
        ("kexec_load", libc::SYS_kexec_load, [0, -1, 0, -1, 0, 0]),
        ("reboot", libc::SYS_reboot, [0, 0, 0, 0, 0, 0]),
        ("swapon", libc::SYS_swapon, [0, 0, 0, 0, 0, 0]),
        ("sethostname", libc::SYS_sethostname, [0, -1, 0, 0, 0, 0]),
        ("quotactl", libc::SYS_quotactl, [-1, 0, 0, 0, 0, 0]),
        ("setuid", libc::SYS_setuid, [0, 0, 0, 0, 0, 0]),
        ("ioctl", libc::SYS_ioctl, [1, 0x5401, 0, 0, 0, 0]),
        ("sendto", libc::SYS_sendto, [-1, 0, 0, 0, 0, 0]),
        ("sendmsg elsewhere", libc::SYS_sendmsg, [-1, 0, 0, 0, 0, 0]),
        ("shmget", libc::SYS_shmget, [0, 0, 0, 0, 0, 0]),
        ("msgget", libc::SYS_msgget, [-1, 0, 0, 0, 0, 0]),
        ("mq_open", libc::SYS_mq_open, [0, 0, 0, 0, 0, 0]),
        ("linkat", libc::SYS_linkat, [-1, 0, -1, 0, 0, 0]),
        ("renameat2", libc::SYS_renameat2, [-1, 0, -1, 0, 0, 0]),
        ("symlinkat", libc::SYS_symlinkat, [0, -1, 0, 0, 0, 0]),
        ("mknodat", libc::SYS_mknodat, [-1, 0, 0, 0, 0, 0]),
        ("fchmodat", libc::SYS_fchmodat, [-1, 0, 0, 0, 0, 0]),
        ("ftruncate", libc::SYS_ftruncate, [-1, 0, 0, 0, 0, 0]),
        ("executable memory", libc::SYS_mmap, [0, 4096, 7, 0x22, -1, 0]),
        ("memory made executable", libc::SYS_mprotect, [0, 0, 4, 0, 0, 0]),
        ("clone without a thread", libc::SYS_clone, [0x0001_0000, 0, 0, 0, 0, 0]),
        ("clone3", libc::SYS_clone3, [0, 0, 0, 0, 0, 0]),
        ("seccomp", libc::SYS_seccomp, [-1, 0, 0, 0, 0, 0]),
        ("capset", libc::SYS_capset, [0, 0, 0, 0, 0, 0]),
        ("personality", libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0, 0]),
    ];
    for (name, number, arguments) in calls {
        note(name, call(*number, *arguments));
    }
    text
}

fn fork() -> io::Result<()> {
    // SAFETY: the new process does nothing but end.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: as above; nothing of the parent's is run at the exit.
        0 => unsafe { libc::_exit(0) },
        child => {
            let child = Pid::from_raw(child);
            rustix::process::waitpid(child, rustix::process::WaitOptions::empty())?;
            Ok(())
        }
    }
}

/// A call by its number, with arguments that let it do no harm where it is not denied.
fn call(number: i64, a: [i64; 6]) -> io::Result<()> {
    // SAFETY: no argument is a pointer that the kernel could use, and what a call could do with these
    // numbers touches nothing of this process that is used afterwards.
    match unsafe { libc::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
