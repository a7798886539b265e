//! Real children: what a confined one is denied, and how the parent fares with those that misbehave.
//!
//! This program is its own child: started with `child MODE` it plays that part. Every call that a
//! confined child must be denied is also made by a free one, and has to succeed there, or fail for
//! another reason than being denied: a check that cannot fail shows nothing.

#![allow(unsafe_code, reason = "calls that no safe library makes are made by their number")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod attempts;
mod modes;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use fathom_confine::{Canceller, Confined, Ended, How, Limits};
use seccompiler::{SeccompAction, SeccompFilter, apply_filter};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, mode, rest @ ..] = arguments.as_slice()
        && first == "child"
    {
        modes::play(mode, rest);
        return ExitCode::SUCCESS;
    }
    let tests: &[(&str, fn())] = &[
        ("a_confined_child_is_denied_what_a_free_one_may", denied),
        ("a_confined_child_computes", computes),
        ("a_kernel_without_landlock_is_not_good_enough", || {
            degraded(libc::SYS_landlock_create_ruleset, "Landlock")
        }),
        ("a_kernel_without_seccomp_is_not_good_enough", || degraded(libc::SYS_seccomp, "seccomp")),
        ("what_could_be_inherited_is_closed", nothing_inherited),
        ("one_that_hangs_is_killed", hangs),
        ("one_that_computes_too_long_ends", computes_too_long),
        ("one_that_needs_too_much_memory_ends", memory),
        ("one_that_crashes_crashes_alone", crashes),
        ("one_that_can_be_cancelled_is", cancelled),
        ("one_that_talks_nonsense_ends", nonsense),
        ("one_that_does_not_read_is_not_waited_for", deaf),
        ("what_it_says_on_standard_error_is_bounded", loud),
        ("one_that_is_dropped_is_gone", dropped),
        ("its_account_is_the_kernels", account),
        ("what_cannot_be_started_is_said", not_started),
    ];
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    let (mut ran, mut failed) = (0, 0);
    for (name, test) in tests {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        ran += 1;
        // A filter that a test sets holds for its thread alone.
        let outcome = std::thread::spawn(test).join();
        let shown = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("test {name} ... {shown}");
        failed += usize::from(outcome.is_err());
    }
    println!("\ntest result: {} of {ran} passed", ran - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn limits() -> Limits {
    Limits { wall: Duration::from_secs(30), memory: 1 << 30, ..Limits::default() }
}

fn start(mode: &[&str], limits: &Limits, canceller: &Canceller) -> Result<Confined, Ended> {
    let program = std::env::current_exe().unwrap();
    let arguments: Vec<&OsStr> =
        std::iter::once("child").chain(mode.iter().copied()).map(OsStr::new).collect();
    Confined::spawn(&program, &arguments, limits, canceller)
}

fn spawn(mode: &[&str]) -> Confined {
    start(mode, &limits(), &Canceller::new()).unwrap()
}

/// How a child of this mode ends that is asked for a message.
fn ends(mode: &[&str], limits: &Limits) -> Ended {
    let mut child = start(mode, limits, &Canceller::new()).unwrap();
    loop {
        match child.receive(1 << 20) {
            Ok(_) => {}
            Err(ended) => return ended,
        }
    }
}

/// What the attempts came to: each by its name, the error's number, nought if it succeeded.
fn results(text: &str) -> BTreeMap<String, i32> {
    text.lines()
        .map(|line| {
            let (name, number) = line.split_once('=').unwrap();
            (name.to_owned(), number.parse().unwrap())
        })
        .collect()
}

fn denied() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "secret").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = folder.path().join("socket");
    let _listener = UnixListener::bind(&unix).unwrap();
    let port = tcp.local_addr().unwrap().port().to_string();
    let places = [file.to_str().unwrap(), unix.to_str().unwrap(), &port];

    let program = std::env::current_exe().unwrap();
    let free = Command::new(&program).args(["child", "free"]).args(places).output().unwrap();
    assert!(free.status.success(), "{free:?}");
    let free = results(std::str::from_utf8(&free.stdout).unwrap());

    let mut child = spawn(&[&["attempts"], places.as_slice()].concat());
    assert!(child.confinement().is_complete(), "{}", child.confinement());
    let confined = child.receive(1 << 20).unwrap();
    let confined = results(std::str::from_utf8(&confined.bytes).unwrap());
    child.finish();

    assert_eq!(free.keys().collect::<Vec<_>>(), confined.keys().collect::<Vec<_>>());
    assert!(free.len() > 45, "{}", free.len());
    let is_root = rustix::process::geteuid().is_root();
    for (name, outcome) in &confined {
        let without = free[name];
        // Who is not root may be denied these by the kernel's settings.
        let may_differ = !is_root && attempts::NEED_ROOT.contains(&name.as_str());
        assert!(may_differ || without != libc::EPERM, "{name} is denied to a free child too");
        if attempts::SUCCEED.contains(&name.as_str()) {
            assert_eq!(without, 0, "{name} must succeed in a free child");
        }
        // The kernel is said not to know it, so that threads are made in the old way.
        let expected = if name == "clone3" { libc::ENOSYS } else { libc::EPERM };
        assert_eq!(*outcome, expected, "{name} in a confined child");
    }
    for name in attempts::SUCCEED {
        assert!(confined.contains_key(*name), "{name} was not tried");
    }
}

fn computes() {
    use std::io::Write as _;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[7; 100_000]).unwrap();
    let mut child = spawn(&["compute"]);
    child.send(b"read this", &[file.as_fd()]).unwrap();
    let answer = child.receive(1 << 20).unwrap();
    assert_eq!(String::from_utf8(answer.bytes).unwrap(), "700000 with 8 threads");
    child.finish();
}

/// Without a call that the kernel may lack, nothing is done unless it is allowed, and then it is said.
fn degraded(call: i64, layer: &str) {
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let rules = [(call, Vec::new())].into_iter().collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, unknown, architecture).unwrap();
    // For this thread and what it starts the kernel is an old one.
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
    let refused = start(&["compute"], &limits(), &Canceller::new()).unwrap_err();
    let How::Degraded(confinement) = &refused.how else { panic!("{refused:?}") };
    assert!(!confinement.is_complete());
    assert_eq!(confinement.missing(), [layer]);
    assert!(refused.to_string().contains("NOT fully confined"), "{refused}");
    let allowed = Limits { allow_degraded: true, ..limits() };
    let child = start(&["compute"], &allowed, &Canceller::new()).unwrap();
    assert!(!child.confinement().is_complete());
    assert!(child.confinement().to_string().contains(layer), "{}", child.confinement());
}

fn nothing_inherited() {
    // Whoever opens files without close-on-exec hands them to every child.
    let secret = tempfile::tempfile().unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let free = Command::new(std::env::current_exe().unwrap())
        .args(["child", "free-descriptors"])
        .output()
        .unwrap();
    let free: i32 = String::from_utf8(free.stdout).unwrap().trim().parse().unwrap();
    let mut child = spawn(&["descriptors"]);
    let confined = String::from_utf8(child.receive(100).unwrap().bytes).unwrap();
    // The standard ones and the channel.
    assert_eq!(confined, "4");
    assert!(free > 3, "the secret was not inherited: {free}");
    child.finish();
}

fn hangs() {
    let began = Instant::now();
    let limits = Limits { wall: Duration::from_millis(400), ..limits() };
    let ended = ends(&["hang"], &limits);
    assert!(matches!(ended.how, How::TimedOut), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(10));
}

fn computes_too_long() {
    let limits = Limits { cpu: Duration::from_secs(1), ..limits() };
    let ended = ends(&["spin"], &limits);
    assert!(matches!(ended.how, How::CpuExhausted), "{ended:?}");
    assert!(ended.usage.cpu >= Duration::from_millis(900), "{ended:?}");
}

fn memory() {
    let limits = Limits { memory: 256 << 20, ..limits() };
    let ended = ends(&["eat"], &limits);
    assert!(matches!(ended.how, How::OutOfMemory), "{ended:?}");
    assert!(ended.usage.peak_memory < 256 << 20, "{ended:?}");
}

fn crashes() {
    let check = |mode: &str, expected: i32| {
        let ended = ends(&[mode], &limits());
        assert!(matches!(ended.how, How::Signalled(it) if it == expected), "{mode}: {ended:?}");
    };
    check("abort", libc::SIGABRT);
    check("overflow", libc::SIGABRT);
    check("segfault", libc::SIGSEGV);
    let ended = ends(&["panic"], &limits());
    assert!(matches!(ended.how, How::Exited(101)), "{ended:?}");
    assert!(ended.said.contains("on purpose"), "{ended:?}");
    let ended = ends(&["leave"], &limits());
    assert!(matches!(ended.how, How::Exited(0)), "{ended:?}");
}

fn cancelled() {
    let canceller = Canceller::new();
    let mut child = start(&["hang"], &limits(), &canceller).unwrap();
    let other = canceller.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        other.cancel();
    });
    let ended = child.receive(100).unwrap_err();
    assert!(matches!(ended.how, How::Cancelled), "{ended:?}");
    thread.join().unwrap();
    let ended = start(&["hang"], &limits(), &canceller).unwrap_err();
    assert!(matches!(ended.how, How::Cancelled), "{ended:?}");
    assert!(canceller.is_cancelled());
}

fn nonsense() {
    let check = |mode: &str, expected: &str| {
        let ended = ends(&[mode], &limits());
        let How::Violated(what) = &ended.how else { panic!("{mode}: {ended:?}") };
        assert!(what.contains(expected), "{mode}: {ended:?}");
    };
    check("garbage", "no known kind");
    check("flood", "longer than it may be");
    check("descriptor", "descriptors that nobody asked for");
    check("close", "did not end");
    // One that knows nothing of the channel.
    let mut plain = Confined::spawn(Path::new("/bin/true"), &[], &limits(), &Canceller::new());
    let ended = plain.as_mut().unwrap_err();
    assert!(matches!(ended.how, How::Exited(0)), "{ended:?}");
    let ended = Confined::spawn(Path::new("/bin/cat"), &[], &limits(), &Canceller::new());
    let ended = ended.unwrap_err();
    assert!(!matches!(ended.how, How::Degraded(_)), "{ended:?}");
}

fn deaf() {
    let limits = Limits { wall: Duration::from_millis(500), ..limits() };
    let mut child = start(&["hang"], &limits, &Canceller::new()).unwrap();
    let ended = child.send(&vec![0; 64 << 20], &[]).unwrap_err();
    assert!(matches!(ended.how, How::TimedOut), "{ended:?}");
    assert!(child.send(b"more", &[]).is_err() && child.receive(1).is_err());
}

fn loud() {
    let ended = ends(&["loud"], &limits());
    assert!(matches!(ended.how, How::Exited(3)), "{:?}", ended.how);
    assert!(ended.said.len() <= 16 << 10, "{}", ended.said.len());
    assert!(ended.said.ends_with("the end"), "{:?}", ended.said);
    assert!(!ended.said.contains('\u{1b}'));
}

fn dropped() {
    let mut child = spawn(&["process"]);
    let process: u32 =
        String::from_utf8(child.receive(100).unwrap().bytes).unwrap().parse().unwrap();
    assert!(Path::new(&format!("/proc/{process}")).exists());
    drop(child);
    assert!(!Path::new(&format!("/proc/{process}")).exists());
}

fn account() {
    let mut child = spawn(&["work"]);
    child.receive(100).unwrap();
    let usage = child.finish();
    assert!((100 << 20..400 << 20).contains(&usage.peak_memory), "{usage:?}");
    assert!(usage.cpu >= Duration::from_millis(20), "{usage:?}");
}

fn not_started() {
    let nowhere = Confined::spawn(Path::new("/nonexistent"), &[], &limits(), &Canceller::new());
    let ended = nowhere.unwrap_err();
    assert!(matches!(ended.how, How::NotStarted(_)), "{ended:?}");
}
