//! The parts that a child plays.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use fathom_confine::Channel;

use crate::attempts;

pub(crate) fn play(mode: &str, rest: &[String]) {
    if let ("free", [file, socket, port]) = (mode, rest) {
        print!("{}", attempts::all(file, socket, port.parse().unwrap()));
        return;
    }
    if mode == "free-descriptors" {
        println!("{}", descriptors());
        return;
    }
    let (channel, _) = fathom_confine::enter().unwrap();
    match (mode, rest) {
        ("attempts", [file, socket, port]) => {
            let text = attempts::all(file, socket, port.parse().unwrap());
            channel.send(text.as_bytes(), &[]).unwrap();
            wait(&channel);
        }
        ("compute", []) => compute(&channel),
        ("descriptors", []) => {
            channel.send(descriptors().to_string().as_bytes(), &[]).unwrap();
            wait(&channel);
        }
        ("hang", []) => hang(),
        ("spin", []) => {
            let mut number = 1_u64;
            loop {
                number = std::hint::black_box(number.wrapping_mul(3));
            }
        }
        ("eat", []) => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1_u8; 1 << 20]);
            }
        }
        ("abort", []) => std::process::abort(),
        ("overflow", []) => println!("{}", deep(1)),
        ("segfault", []) => {
            // SAFETY: none: it is to crash.
            unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) };
        }
        ("panic", []) => panic!("on purpose"),
        ("leave", []) => {}
        ("garbage", []) => raw(&channel, b"\xffgarbage"),
        ("flood", []) => {
            let _ = channel.send(&vec![0; 64 << 20], &[]);
            hang();
        }
        ("descriptor", []) => {
            channel.send(b"take this", &[std::io::stderr().as_fd()]).unwrap();
            hang();
        }
        ("close", []) => {
            drop(channel);
            hang();
        }
        ("loud", []) => {
            let line = [b"\x1b[31m", "noise".repeat(1000).as_bytes()].concat();
            for _ in 0..2000 {
                std::io::stderr().write_all(&line).unwrap();
            }
            std::io::stderr().write_all(b"\nthe end").unwrap();
            std::process::exit(3);
        }
        ("process", []) => {
            channel.send(std::process::id().to_string().as_bytes(), &[]).unwrap();
            hang();
        }
        ("work", []) => {
            let mut much = vec![0_u8; 100 << 20];
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(200) {
                much.iter_mut().step_by(4096).for_each(|byte| *byte = byte.wrapping_add(1));
            }
            channel.send(b"done", &[]).unwrap();
            wait(&channel);
        }
        other => panic!("{other:?}"),
    }
}

/// Adds up what is in the descriptor, with threads and memory, as those do that read disks.
fn compute(channel: &Channel) {
    let message = channel.receive(100).unwrap().unwrap();
    let file = std::fs::File::from(message.descriptors.into_iter().next().unwrap());
    let sums: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|part| {
                let file = &file;
                let work = move || {
                    let mut bytes = vec![0; 12_500];
                    file.read_exact_at(&mut bytes, part * 12_500).unwrap();
                    bytes.iter().map(|byte| u64::from(*byte)).sum()
                };
                std::thread::Builder::new().name(format!("t{part}")).spawn_scoped(scope, work)
            })
            .collect();
        threads.into_iter().map(|thread| thread.unwrap().join().unwrap()).collect()
    });
    std::thread::sleep(Duration::from_millis(1));
    let caught = std::panic::catch_unwind(|| panic!("that is caught"));
    assert!(caught.is_err());
    let text = format!("{} with {} threads", sums.iter().sum::<u64>(), sums.len());
    channel.send(text.as_bytes(), &[]).unwrap();
    wait(channel);
}

/// Waits until the parent lets go.
fn wait(channel: &Channel) {
    drop(channel.receive(1));
}

fn hang() {
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

fn deep(level: u64) -> u64 {
    let space = std::hint::black_box([level; 512]);
    if level == 0 { space[0] } else { deep(level + 1) + std::hint::black_box(space)[7] }
}

/// A packet past all rules.
fn raw(channel: &Channel, bytes: &[u8]) {
    let _ = channel;
    // The channel is the one descriptor beyond the standard ones.
    let (mut part, fd) =
        (libc::iovec { iov_base: bytes.as_ptr() as *mut _, iov_len: bytes.len() }, 3);
    // SAFETY: nought is a valid value of every field.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    // SAFETY: the message and its bytes live until the call returns.
    let sent = unsafe { libc::sendmsg(fd, &message, 0) };
    assert_eq!(sent as usize, bytes.len());
    hang();
}

/// How many descriptors are open, by asking of each.
fn descriptors() -> usize {
    // SAFETY: asking for the flags of a descriptor changes nothing.
    (0..200).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0).count()
}
