//! Paths and addresses that are meant to lead elsewhere. Each is refused at both doors: where a request
//! comes in, by its text, and where a worker opens it. What is refused by its text alone is refused
//! without a look at any disk; what the kernel has to judge is refused when it is opened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fathom_confine::Canceller;
use fathom_worker::image::address::Https;
use fathom_worker::image::{Code, Content, Image, Images, Inspection, Limits, Roots};

/// Paths that are refused by their text. `@` stands for the root.
#[rustfmt::skip]
const PATHS: &[&str] = &[
    // Nothing, and nothing of the kind.
    "", " ", "\t", "\n", ".", "..", "/", "//", "///", "*", "?", "-", "~", "~root", "NUL", "CON",
    // The root itself, and what only begins like it.
    "@", "@/", "@//", "@/.", "@-other/a.img", "@.img", "@x", "@/../x", " @/a.img", "@/a.img ",
    "@/a.img\n", "\t@/a.img", "@ /a.img",
    // Upwards.
    "@/..", "@/../", "@/../etc/passwd", "@/../../etc/passwd", "@/../../../../../../etc/shadow",
    "@/a/../a.img", "@/a/../../etc/passwd", "@/./a.img", "@/a/./b.img", "@/a/.", "@/a/..",
    "@//a.img", "@/a//b.img", "@/a.img/", "@/a.img//", "@/....//....//etc/passwd",
    "@/..;/etc/passwd/", "@/../@/a.img", "/..@/a.img", "/./etc/passwd", "/../etc/passwd",
    "../etc/passwd", "../../etc/passwd", "./a.img", "a.img", "images/a.img", "..\\..\\etc\\passwd",
    "@\\..\\..\\etc\\passwd", "@/..\\..\\etc\\passwd", "\\\\server\\share\\a.img", "C:\\a.img",
    "c:/a.img", "@/a\\b.img",
    // Encoded in ways that somebody might decode.
    "@/%2e%2e/etc/passwd", "@/%2E%2E/etc/passwd", "@/%2e./x", "@/.%2e/x", "@/..%2fetc/passwd",
    "@/..%5cetc", "@/%252e%252e/x", "@/a%00.img", "@/%c0%ae%c0%ae/x", "@/%c0%af..",
    "@/%u002e%u002e/x", "@/%uff0e%uff0e/x", "@/a.img%0a", "@/%2fetc%2fpasswd", "@/a.img%20",
    // Characters that look like others, or hide.
    "@/\u{ff0e}\u{ff0e}/x", "@/\u{2024}\u{2024}/x", "@/\u{2025}/x", "@/\u{2026}/x",
    "@\u{ff0f}etc", "@\u{2215}etc", "@\u{2044}etc", "@/a\u{29f8}b", "@/a\u{ff3c}b", "@/a\u{fe52}b",
    "@/a\u{202e}gmi.exe", "@/a\u{200b}.img", "@/a\u{feff}.img", "@/a\u{2066}b", "@/a\u{ad}b",
    "@/a\u{0}.img", "@/a.img\u{0}/../../etc/passwd", "@/a\u{1b}[2Jb", "@/a\u{7f}b", "@/a\rb",
    "@/a\u{85}b", "@/a\u{2028}b", "@/\u{fffd}",
    // What the kernel shows, and devices.
    "/proc", "/proc/self", "/proc/self/mem", "/proc/self/environ", "/proc/self/fd/0",
    "/proc/self/root/etc/passwd", "/proc/self/cwd/a.img", "/proc/1/root/etc/shadow",
    "/proc/kcore", "/proc/kmsg", "/proc/sys/kernel/core_pattern", "/proc/thread-self/environ",
    "/sys", "/sys/firmware/efi/efivars/x", "/sys/kernel/security/x", "/dev", "/dev/mem",
    "/dev/sda", "/dev/zero", "/dev/random", "/dev/stdin", "/dev/fd/3", "/dev/tty",
    "/dev/tcp/127.0.0.1/80", "/dev/shm/x", "/dev/mapper/root",
    // What lies elsewhere.
    "/etc/passwd", "/etc/shadow", "/home/admin/.ssh/id_rsa", "/run/containerd/containerd.sock",
    "/var/run/secrets/kubernetes.io/serviceaccount/token", "/tmp/a.img", "/home",
    "/boot/vmlinuz", "$HOME/a.img", "${ROOT}/a.img", "`id`", "$(id)", "|id", ";id", "@/../$(id)",
    // Sources of other kinds.
    "file:///etc/passwd", "file:/etc/passwd", "file://localhost/etc/passwd", "FILE:///etc/passwd",
    "file:a.img", "json:{\"driver\":\"file\",\"filename\":\"/etc/passwd\"}",
    "nbd://127.0.0.1:10809", "nbd:unix:/tmp/x", "rbd:pool/image", "ssh://host/a.img",
    "sftp://host/a.img", "ftp://host/a.img", "ftps://host/a.img", "tftp://host/a.img",
    "gopher://127.0.0.1:6379/_x", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/x",
    "data:text/plain,x", "data:;base64,eA==", "blob:x", "jar:https://images.test!/a",
    "javascript:alert(1)", "vbscript:x", "about:blank", "s3://bucket/a.img", "gs://bucket/a.img",
    "iscsi://host/x", "vvfat:/etc", "fat:rw:/tmp", "blkdebug::a.img", "host_device:/dev/sda",
    "fd:0", "pipe:", "php://filter/resource=/etc/passwd", "expect://id", "netdoc:///etc/passwd",
    "view-source:x",
];

/// Addresses that are refused by their text, where `images.test` and `images.test:8443` are allowed.
#[rustfmt::skip]
const ADDRESSES: &[&str] = &[
    // Not encrypted, or not an address.
    "http://images.test/a", "HTTP://images.test/a", "HTTPS://images.test/a",
    "Https://images.test/a", "https:/images.test/a", "https:images.test/a",
    "https:///images.test/a", "https:\\\\images.test\\a", "https://", "https:///", "https://?",
    "https://#", "//images.test/a", "https ://images.test/a", " https://images.test/a",
    "https://images.test/a ", "https://images.test", "https://images.test?x",
    "https+unix://images.test/a", "https://images.test/a\n", "https://images.test/a\r\nHost: x",
    "https://images.test/a\tb", "https://images.test/\u{0}", "hxxps://images.test/a",
    // Numbers, in every spelling.
    "https://127.0.0.1/a", "https://127.1/a", "https://127.0.1/a", "https://0/a",
    "https://0.0.0.0/a", "https://2130706433/a", "https://017700000001/a",
    "https://0177.0.0.1/a", "https://0x7f.0.0.1/a", "https://0x7f000001/a", "https://0x7f.1/a",
    "https://0X7F.0X1/a", "https://127.0.0.1./a", "https://127.000.000.001/a",
    "https://4294967295/a", "https://425.510.425.510/a", "https://10.0.0.1/a",
    "https://192.168.1.1/a", "https://172.16.0.1/a", "https://100.100.100.200/latest/meta-data/",
    "https://[::1]/a", "https://[::]/a", "https://[::1]:443/a", "https://[::ffff:127.0.0.1]/a",
    "https://[::ffff:7f00:1]/a", "https://[0:0:0:0:0:ffff:127.0.0.1]/a",
    "https://[::127.0.0.1]/a", "https://[fe80::1%25eth0]/a",
    "https://[fd00:ec2::254]/latest/meta-data/", "https://[64:ff9b::7f00:1]/a",
    "https://[2002:7f00:1::]/a", "https://[v1.x]/a", "https://::1/a", "https://[images.test]/a",
    // Services that clouds have for their machines.
    "https://169.254.169.254/latest/meta-data/", "https://2852039166/latest/",
    "https://0xa9fea9fe/", "https://0251.0376.0251.0376/", "https://[::ffff:a9fe:a9fe]/",
    "https://169.254.170.2/v2/credentials", "https://metadata/x", "https://instance-data/x",
    "https://metadata.google.internal/computeMetadata/v1/", "https://168.63.129.16/machine",
    "https://metadata.azure.internal/x", "https://metadata.packet.net/x",
    "https://kubernetes.default.svc/api", "https://localhost/a", "https://localhost:8443/a",
    "https://localhost.localdomain/a", "https://localtest.me/a", "https://127.0.0.1.nip.io/a",
    "https://a9fea9fe.rbndr.us/a", "https://1.1.1.1.sslip.io/a",
    // User information, and other hosts that look like the one.
    "https://images.test@evil.test/a", "https://images.test:x@evil.test/a",
    "https://x@images.test/a", "https://x:y@images.test/a", "https://@images.test/a",
    "https://:@images.test/a", "https://evil.test#@images.test/a",
    "https://evil.test\\@images.test/a", "https://images.test\\.evil.test/a",
    "https://images.test%40evil.test/a", "https://images.test%2eevil.test/a",
    "https://images.test%00.evil.test/a", "https://images.test.evil.test/a",
    "https://evilimages.test/a", "https://evil-images.test/a", "https://sub.images.test/a",
    "https://images.test./a", "https://.images.test/a", "https://images..test/a",
    "https://images.tes/a", "https://images.test2/a", "https://images/a", "https://test/a",
    "https://images_test/a", "https://-images.test/a", "https://images.test-/a",
    "https://images,test/a", "https://images.test;evil.test/a", "https://images.test&evil.test/a",
    "https://evil.test/images.test", "https://evil.test/?https://images.test/",
    "https://*.test/a", "https://images.test,evil.test/a", "https://(images.test)/a",
    "https://images.test evil.test/a", "https://$images.test/a",
    // Letters that look like others, and names that are written for machines.
    "https://im\u{0430}ges.test/a", "https://\u{ff49}mages.test/a",
    "https://images\u{3002}test/a", "https://images\u{ff0e}test/a",
    "https://images\u{ff61}test/a", "https://xn--mges-8cd2e.test/a",
    "https://\u{2460}\u{2461}.test/a", "https://images.te\u{df}t/a",
    "https://images.te\u{17f}t/a", "https://images\u{ad}.test/a",
    "https://images.test\u{200b}/a", "https://\u{202e}tset.segami/a",
    // Ports.
    "https://images.test:80/a", "https://images.test:22/a", "https://images.test:0/a",
    "https://images.test:65536/a", "https://images.test:99999999999/a", "https://images.test:/a",
    "https://images.test:+443/a", "https://images.test:-1/a", "https://images.test:0443/a",
    "https://images.test:443:80/a", "https://images.test:44 3/a", "https://images.test:https/a",
    "https://images.test:\u{0664}\u{0664}\u{0663}/a", "https://images.test:8443@evil.test/a",
    // Paths.
    "https://images.test/../a", "https://images.test/a/../../b", "https://images.test/%2e%2e/a",
    "https://images.test/.%2E/a", "https://images.test/..%2fa", "https://images.test/./a",
    "https://images.test/a/%2e", "https://images.test/a\\b", "https://images.test/a%5c..%5cb",
    "https://images.test/a%00b", "https://images.test/a%0d%0aHost:%20evil",
    "https://images.test/a%0ab", "https://images.test/a#b", "https://images.test/#",
    "https://images.test/a b", "https://images.test/<a>", "https://images.test/\"a\"",
    "https://images.test/{a}", "https://images.test/a|b", "https://images.test/`a`",
    "https://images.test/\u{e9}", "https://images.test\\/a", "https://images.test/a\u{2028}b",
];

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
    outside: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let base = fs::canonicalize(folder.path()).unwrap();
    let (root, outside) = (base.join("images"), base.join("outside"));
    for folder in [&root, &outside, &root.join("a")] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(root.join("a.img"), vec![0; 4096]).unwrap();
    fs::write(root.join("a/b.img"), vec![1; 4096]).unwrap();
    fs::write(outside.join("secret.img"), b"secret").unwrap();
    Place { _folder: folder, root, outside }
}

fn roots(place: &Place) -> Roots {
    let https = Https::new(["images.test", "images.test:8443"]).unwrap().names(|host, _| {
        panic!("{host} is asked for, although its address is refused");
    });
    Roots::new([&place.root]).unwrap().https(https)
}

/// A worker whose child can never be started: what is tried here is decided before.
fn images(place: &Place) -> Images {
    Images::new("/nonexistent", [], roots(place), Limits::default())
}

fn sum(images: &Images, source: &str) -> Result<String, (Code, String)> {
    let image = Image::at(source);
    match images.checksum(&image, Content::File, &mut |_| {}, &Canceller::new()) {
        Ok(sums) => Ok(sums[0].checksum.clone()),
        Err(failure) => {
            assert!(!failure.retry_recommended, "{failure}");
            Err((failure.code, failure.message))
        }
    }
}

/// What a worker says to it, whichever operation is asked for.
fn opened(images: &Images, source: &str) -> Result<String, (Code, String)> {
    let request = Inspection { images: vec![Image::at(source)], ..Inspection::default() };
    let inspected = images.inspect(&request, &mut |_| {}, &Canceller::new()).unwrap_err();
    let summed = sum(images, source);
    let expected = summed.as_ref().map_or_else(|(code, _)| *code, |_| Code::NotStarted);
    assert_eq!(inspected.code, expected, "{source:?}: {inspected}");
    summed
}

#[test]
fn tricks_are_refused_at_both_doors() {
    let place = place();
    let images = images(&place);
    let root = place.root.to_str().unwrap();
    let mut tried = std::collections::HashSet::new();
    let paths = PATHS.iter().map(|path| path.replace('@', root));
    let addresses = ADDRESSES.iter().map(|address| (*address).to_owned());
    for trick in paths.chain(addresses) {
        assert!(tried.insert(trick.clone()), "{trick:?} stands there twice");
        let Err(refusal) = images.roots().check(&trick) else { panic!("{trick:?} is admitted") };
        assert_eq!(refusal.code, Code::PathRefused, "{trick:?}");
        let request = Inspection { images: vec![Image::at(&*trick)], ..Inspection::default() };
        assert_eq!(request.check(images.roots()), Err(refusal), "{trick:?}");
        let Err((code, message)) = opened(&images, &trick) else { panic!("{trick:?} is read") };
        assert_eq!(code, Code::PathRefused, "{trick:?}: {message}");
        assert!(!message.contains(['\u{1b}', '\n', '\u{202e}']), "{message:?}");
    }
    assert!(tried.len() >= 300, "{}", tried.len());
    let long = format!("{root}/{}", "a/".repeat(3000));
    let name = format!("{root}/{}", "a".repeat(300));
    let address = format!("https://images.test/{}", "a".repeat(10_000));
    for trick in [long, name, address] {
        assert!(images.roots().check(&trick).is_err());
        assert!(opened(&images, &trick).is_err());
    }
}

#[test]
fn what_is_meant_is_admitted() {
    let place = place();
    let images = images(&place);
    symlink("a/b.img", place.root.join("link.img")).unwrap();
    symlink("../a.img", place.root.join("a/up.img")).unwrap();
    for name in ["a.img", "a/b.img", "link.img", "a/up.img"] {
        let path = place.root.join(name);
        let path = path.to_str().unwrap();
        assert_eq!(images.roots().check(path), Ok(()), "{path}");
        assert!(opened(&images, path).unwrap().starts_with("sha256:"));
    }
    for name in ["..a.img", "...", "a b.img", "ümläut.img", "100%.img", "a:b.img", "a@b.img"] {
        let path = place.root.join(name);
        fs::write(&path, b"bytes").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(images.roots().check(path), Ok(()), "{path}");
        assert!(opened(&images, path).is_ok(), "{path}");
    }
    for address in [
        "https://images.test/a",
        "https://images.test/",
        "https://images.test:443/a.qcow2",
        "https://IMAGES.TEST/a",
        "https://images.test:8443/bucket/a%20b.img?X-Amz-Signature=0f&X-Amz-Credential=a%2Fb%2F..",
    ] {
        assert_eq!(images.roots().check(address), Ok(()), "{address}");
    }
    let none = opened(&images, place.root.join("none.img").to_str().unwrap()).unwrap_err();
    assert_eq!(none.0, Code::ImageNotFound);
}

#[test]
fn links_that_lead_out_are_refused_when_they_are_opened() {
    let place = place();
    let images = images(&place);
    let (root, outside) = (&place.root, &place.outside);
    symlink(outside.join("secret.img"), root.join("absolute.img")).unwrap();
    symlink("../outside/secret.img", root.join("relative.img")).unwrap();
    symlink(outside, root.join("folder")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink(root.join("a.img"), root.join("roundabout.img")).unwrap();
    symlink("loop.img", root.join("loop.img")).unwrap();
    symlink("/proc/self/fd/0", root.join("fd.img")).unwrap();
    symlink("/proc/self/root", root.join("magic")).unwrap();
    symlink("/proc/kcore", root.join("kcore.img")).unwrap();
    symlink("/dev/zero", root.join("zero.img")).unwrap();
    symlink("absolute.img", root.join("twice.img")).unwrap();
    for name in [
        "absolute.img",
        "relative.img",
        "folder/secret.img",
        "up/outside/secret.img",
        "up/images/a.img",
        // It leads back, but by way of the root of all files.
        "roundabout.img",
        "loop.img",
        "fd.img",
        "magic/etc/passwd",
        "kcore.img",
        "zero.img",
        "twice.img",
    ] {
        let path = root.join(name);
        let path = path.to_str().unwrap();
        let Err((code, message)) = opened(&images, path) else { panic!("{name} is read") };
        assert_eq!(code, Code::PathRefused, "{name}: {message}");
    }
}

#[test]
fn only_files_are_images() {
    let place = place();
    let images = images(&place);
    let (pipe, mode) = (place.root.join("pipe.img"), rustix::fs::Mode::from_raw_mode(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let socket = place.root.join("socket.img");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [pipe, socket, place.root.join("a")] {
        let (code, message) = opened(&images, path.to_str().unwrap()).unwrap_err();
        assert_eq!(code, Code::PathRefused, "{message}");
    }
}

#[test]
fn a_link_that_is_swapped_all_the_time_never_leads_out() {
    let place = place();
    let images = images(&place);
    fs::create_dir(place.root.join("real")).unwrap();
    fs::write(place.root.join("real/secret.img"), b"mine").unwrap();
    symlink("real", place.root.join("swapped")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (root, outside, until) = (place.root.clone(), place.outside.clone(), Arc::clone(&stop));
    let swapper = std::thread::spawn(move || {
        let next = root.join("next");
        let mut outwards = true;
        while !until.load(Ordering::Relaxed) {
            let target = if outwards { outside.as_path() } else { Path::new("real") };
            symlink(target, &next).unwrap();
            fs::rename(&next, root.join("swapped")).unwrap();
            outwards = !outwards;
        }
    });
    let mine = sum(&images, place.root.join("real/secret.img").to_str().unwrap()).unwrap();
    let path = place.root.join("swapped/secret.img");
    let (mut read, mut refused) = (0, 0);
    for _ in 0..20_000 {
        match sum(&images, path.to_str().unwrap()) {
            Ok(checksum) => {
                assert_eq!(checksum, mine, "what lies outside was read");
                read += 1;
            }
            Err((code, message)) => {
                assert_eq!(code, Code::PathRefused, "{message}");
                refused += 1;
            }
        }
        if read > 50 && refused > 50 {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(read > 0 && refused > 0, "{read} read, {refused} refused");
}

#[test]
fn a_folder_that_is_exchanged_after_the_start_is_not_the_root() {
    let place = place();
    let images = images(&place);
    fs::rename(&place.root, place.root.with_file_name("moved")).unwrap();
    symlink(&place.outside, &place.root).unwrap();
    let path = place.root.join("secret.img");
    let (code, _) = opened(&images, path.to_str().unwrap()).unwrap_err();
    assert_eq!(code, Code::ImageNotFound);
    // What was the root still is.
    assert!(opened(&images, place.root.join("a.img").to_str().unwrap()).is_ok());
}

#[test]
fn what_cannot_be_a_root() {
    for root in
        ["/", "", "images", "/proc", "/proc/self", "/sys", "/dev", "/dev/shm", "/none", "/usr/.."]
    {
        assert!(Roots::new([root]).is_err(), "{root}");
    }
}

#[test]
fn names_that_lead_to_forbidden_addresses_are_refused() {
    let place = place();
    for address in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00:ec2::254", "0.0.0.0"] {
        let there: std::net::IpAddr = address.parse().unwrap();
        let https = Https::new(["images.test"]).unwrap();
        // One public address among them changes nothing.
        let https =
            https.names(move |_, port| Ok(vec![([8, 8, 8, 8], port).into(), (there, port).into()]));
        let roots = Roots::new([&place.root]).unwrap().https(https);
        let images = Images::new("/nonexistent", [], roots, Limits::default());
        let (code, message) = opened(&images, "https://images.test/a.img").unwrap_err();
        assert_eq!(code, Code::PathRefused, "{message}");
        assert!(message.contains(address), "{message}");
    }
}

#[test]
fn checksums_that_are_none_are_refused_at_both_doors() {
    let place = place();
    let images = images(&place);
    let path = place.root.join("a.img");
    let path = path.to_str().unwrap();
    let right = opened(&images, path).unwrap();
    let hex = right.strip_prefix("sha256:").unwrap().to_owned();
    let inspect = |checksum: &str| {
        let image = Image { checksum: Some(checksum.to_owned()), ..Image::at(path) };
        let request = Inspection { images: vec![image], ..Inspection::default() };
        let at_the_api = request.check(images.roots()).map_err(|refusal| refusal.code);
        let failure = images.inspect(&request, &mut |_| {}, &Canceller::new()).unwrap_err();
        (at_the_api, failure)
    };
    // With the right one it comes as far as the child.
    for right in [&right, &hex, &hex.to_uppercase()] {
        let (at_the_api, failure) = inspect(right);
        assert_eq!((at_the_api, failure.code), (Ok(()), Code::NotStarted), "{failure}");
    }
    for none in ["", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:", &hex[1..], "sha1:00", "x"] {
        let (at_the_api, failure) = inspect(none);
        assert_eq!(at_the_api, Err(Code::ChecksumInvalid), "{none}");
        assert_eq!(failure.code, Code::ChecksumInvalid, "{none}");
    }
    let wrong = hex.chars().rev().collect::<String>();
    let (at_the_api, failure) = inspect(&wrong);
    assert_eq!((at_the_api, failure.code), (Ok(()), Code::ChecksumMismatch));
    assert!(!failure.retry_recommended && !failure.recoverable);
    assert!(failure.message.contains("nothing in it was looked at"), "{failure}");
}
