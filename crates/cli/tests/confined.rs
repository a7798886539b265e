//! Images read in a confined child, which is the real `fathom`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

#[allow(dead_code, reason = "another test needs the rest of it")]
mod web;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fathom_confine::Canceller;
use fathom_report::Report;
use fathom_worker::image::address::Https;
use fathom_worker::image::{
    Code, Content, Failure, Image, Images, Inspection, Limits, Outcome, Phase, Roots,
};

use self::web::Web;

/// The moment of all reports here.
const NOW: u64 = 1_750_000_000;

/// A folder with images, which is the root.
struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap().join("images");
        fs::create_dir(&root).unwrap();
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/server.qcow2");
        fs::copy(sample, root.join("server.qcow2")).unwrap();
        Self { _folder: folder, root }
    }

    fn path(&self, name: &str) -> String {
        self.root.join(name).to_str().unwrap().to_owned()
    }

    fn roots(&self) -> Roots {
        Roots::new([&self.root]).unwrap()
    }

    fn images(&self) -> Images {
        images(self.roots(), Limits::default(), "test")
    }

    /// A qcow2 that holds nothing itself and rests on another file.
    fn overlay(&self, name: &str, backing: &str) -> String {
        self.overlay_of(name, backing, virtual_size(&self.root.join("server.qcow2")))
    }

    fn overlay_of(&self, name: &str, backing: &str, size: u64) -> String {
        let path = self.root.join(name);
        let file = fs::File::create(&path).unwrap();
        let mut header = Vec::new();
        header.extend_from_slice(b"QFI\xfb");
        header.extend_from_slice(&2_u32.to_be_bytes());
        header.extend_from_slice(&1024_u64.to_be_bytes());
        header.extend_from_slice(&(backing.len() as u32).to_be_bytes());
        header.extend_from_slice(&16_u32.to_be_bytes());
        header.extend_from_slice(&size.to_be_bytes());
        header.extend_from_slice(&0_u32.to_be_bytes());
        header.extend_from_slice(&(size.div_ceil(512 << 20) as u32).to_be_bytes());
        header.extend_from_slice(&(64_u64 << 10).to_be_bytes());
        header.extend_from_slice(&(128_u64 << 10).to_be_bytes());
        header.extend_from_slice(&1_u32.to_be_bytes());
        header.extend_from_slice(&[0; 12]);
        file.write_all_at(&header, 0).unwrap();
        file.write_all_at(backing.as_bytes(), 1024).unwrap();
        file.set_len(192 << 10).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn virtual_size(qcow2: &Path) -> u64 {
    let mut size = [0; 8];
    fs::File::open(qcow2).unwrap().read_exact_at(&mut size, 24).unwrap();
    u64::from_be_bytes(size)
}

/// `mark` tells its children from those of other tests.
fn images(roots: Roots, limits: Limits, mark: &str) -> Images {
    let arguments = ["__confined", mark].map(OsString::from);
    Images::new(env!("CARGO_BIN_EXE_fathom"), arguments, roots, limits)
}

fn request(image: Image) -> Inspection {
    Inspection { images: vec![image], now: Some(NOW), ..Inspection::default() }
}

fn inspect(images: &Images, image: Image) -> Result<Outcome, Failure> {
    images.inspect(&request(image), &mut |_| {}, &Canceller::new())
}

fn checksum(images: &Images, path: &str) -> String {
    let sums = images.checksum(&Image::at(path), Content::File, &mut |_| {}, &Canceller::new());
    sums.unwrap().remove(0).checksum
}

/// The report as the command prints it.
fn printed(outcome: &Outcome) -> String {
    let report: Report = serde_json::from_slice(&outcome.report).unwrap();
    let mut bytes = Vec::new();
    fathom_document::json(&report, &mut bytes).unwrap();
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap()
}

/// What the command prints, which reads the image in its own process.
fn in_process(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(["inspect", "--json"])
        .args(arguments)
        .env("SOURCE_DATE_EPOCH", NOW.to_string())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn refused(outcome: Result<Outcome, Failure>, code: Code) -> Failure {
    let Err(failure) = outcome else { panic!("{code} was expected") };
    assert_eq!(failure.code, code, "{failure}");
    failure
}

#[test]
fn the_report_is_the_same_byte_for_byte() {
    let place = Place::new();
    let path = place.path("server.qcow2");
    let images = place.images();
    let outcome = inspect(&images, Image::at(&path)).unwrap();
    assert_eq!(printed(&outcome), in_process(&[&path]));
    assert!(outcome.none.is_none());
    assert!(outcome.confinement.is_complete(), "{}", outcome.confinement);
    assert!(outcome.read.bytes > 0 && outcome.read.requests > 0, "{outcome:?}");
    assert_eq!(outcome.fetched.requests, 0);
    assert!(outcome.peak_memory > 1 << 20, "{}", outcome.peak_memory);
    // So it is with all files looked at, and of what was compared with a checksum.
    let deep = Inspection { deep: true, ..request(Image::at(&path)) };
    let deep = images.inspect(&deep, &mut |_| {}, &Canceller::new()).unwrap();
    assert_eq!(printed(&deep), in_process(&["--deep", &path]));
    let sum = checksum(&images, &path);
    let image = Image { checksum: Some(sum.clone()), ..Image::at(&path) };
    let compared = inspect(&images, image).unwrap();
    assert_eq!(printed(&compared), in_process(&["--checksum", &sum, &path]));
}

#[test]
fn what_confinement_costs() {
    let place = Place::new();
    let path = place.path("server.qcow2");
    let images = place.images();
    let median = |mut run: Box<dyn FnMut()>| {
        let mut times: Vec<Duration> = (0..9)
            .map(|_| {
                let began = Instant::now();
                run();
                began.elapsed()
            })
            .collect();
        times.sort();
        times[4]
    };
    let (image, typed) = (Image::at(&path), path.clone());
    let confined = median(Box::new(move || drop(inspect(&images, image.clone()).unwrap())));
    let plain = median(Box::new(move || drop(in_process(&[&typed]))));
    println!("confined {confined:?}, as a command {plain:?}");
    assert!(confined < plain + Duration::from_secs(1), "{confined:?} and {plain:?}");
}

#[test]
fn checksums_of_the_file_and_of_what_the_guest_sees() {
    let place = Place::new();
    let images = place.images();
    let raw = place.path("base.raw");
    fs::write(&raw, (0..8_u32 << 20).map(|at| (at / 777) as u8).collect::<Vec<_>>()).unwrap();
    let path = place.overlay_of("overlay.qcow2", "base.raw", 8 << 20);
    let disk = |path: &str| {
        let image = Image::at(path);
        images.checksum(&image, Content::Disk, &mut |_| {}, &Canceller::new()).unwrap()
    };
    let sums = disk(&path);
    assert_eq!(sums.len(), 1);
    assert_eq!(sums[0].length, 8 << 20);
    assert_eq!(sums[0].checksum, checksum(&images, &raw));
    assert_eq!(sums[0].checksum, disk(&raw)[0].checksum);
    assert_ne!(sums[0].checksum, checksum(&images, &path));
}

#[test]
fn failures_have_codes() {
    let place = Place::new();
    let images = place.images();
    let write = |name: &str, bytes: &[u8]| {
        fs::write(place.root.join(name), bytes).unwrap();
        Image::at(place.path(name))
    };
    refused(inspect(&images, Image::at(place.path("none.qcow2"))), Code::ImageNotFound);
    let mut damaged = fs::read(place.root.join("server.qcow2")).unwrap();
    damaged[40..48].fill(0xff);
    let failure = refused(inspect(&images, write("damaged.qcow2", &damaged)), Code::Corrupt);
    assert_eq!(failure.phase, Phase::Discovering);
    assert!(failure.message.contains("damaged.qcow2"), "{failure}");
    let foreign = [b"LUKS\xba\xbe\0\x01".as_slice(), &[0; 8192]].concat();
    assert!(inspect(&images, write("luks.img", &foreign)).is_ok());
    let image = Image { format: Some("floppy".to_owned()), ..Image::at(place.path("x")) };
    refused(inspect(&images, image), Code::InvalidRequest);
    refused(
        images.inspect(&Inspection::default(), &mut |_| {}, &Canceller::new()),
        Code::InvalidRequest,
    );
    // An empty disk is an answer, and says that nothing is on it.
    let outcome = inspect(&images, write("empty.img", &[0; 1 << 20])).unwrap();
    assert_eq!(outcome.none.unwrap().code, Code::NotFound);
}

#[test]
fn time_is_up_when_it_is_up() {
    let place = Place::new();
    let mut limits = Limits::default();
    limits.child.wall = Duration::from_millis(3);
    let images = images(place.roots(), limits, "time");
    let failure = refused(inspect(&images, Image::at(place.path("server.qcow2"))), Code::Timeout);
    assert!(failure.retry_recommended);
}

#[test]
fn memory_is_up_when_it_is_up() {
    let place = Place::new();
    // The more it has, the further it comes; however far that is, it ends in one of two ways.
    let (mut starved, mut passed) = (0, 0);
    for mebibytes in [8, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 64, 1000] {
        let mut limits = Limits::default();
        limits.child.memory = mebibytes << 20;
        let images = images(place.roots(), limits, "memory");
        match inspect(&images, Image::at(place.path("server.qcow2"))) {
            Ok(_) => passed += 1,
            Err(failure) => {
                assert_eq!(failure.code, Code::OutOfMemory, "{mebibytes} MiB: {failure}");
                starved += 1;
            }
        }
    }
    assert!(starved > 0 && passed > 0, "{starved} starved, {passed} passed");
}

/// Sends a signal to the child of a test.
fn signal(mark: &str, signal: &str) {
    let command = format!("__confined\0{mark}\0");
    for entry in fs::read_dir("/proc").unwrap() {
        let path = entry.unwrap().path();
        let line = fs::read_to_string(path.join("cmdline")).unwrap_or_default();
        if line.ends_with(&command) {
            let process = path.file_name().unwrap().to_owned();
            assert!(Command::new("kill").arg(signal).arg(process).status().unwrap().success());
        }
    }
}

#[test]
fn a_crash_is_a_failed_attempt_and_no_more() {
    let place = Place::new();
    let images = images(place.roots(), Limits::default(), "crash");
    let image = request(Image::at(place.path("server.qcow2")));
    let crash = |how: &str| {
        let mut done = false;
        let outcome = images.inspect(
            &image,
            &mut |progress| {
                if progress.phase == Phase::Discovering && !done {
                    done = true;
                    signal("crash", how);
                }
            },
            &Canceller::new(),
        );
        let failure = refused(outcome, Code::Crashed);
        assert!(failure.retry_recommended, "{failure}");
    };
    crash("-ILL");
    crash("-KILL");
    assert!(images.inspect(&image, &mut |_| {}, &Canceller::new()).is_ok());
}

#[test]
fn it_can_be_cancelled() {
    let place = Place::new();
    let images = place.images();
    let sum = checksum(&images, &place.path("server.qcow2"));
    let image = Image { checksum: Some(sum), ..Image::at(place.path("server.qcow2")) };
    for phase in [Phase::Opening, Phase::Verifying, Phase::Starting, Phase::Discovering] {
        let canceller = Canceller::new();
        let outcome = images.inspect(
            &request(image.clone()),
            &mut |progress| {
                if progress.phase == phase {
                    canceller.cancel();
                }
            },
            &canceller,
        );
        refused(outcome, Code::Cancelled);
    }
}

#[test]
fn a_backing_file_is_opened_beneath_the_roots() {
    let place = Place::new();
    let images = place.images();
    let base = place.path("server.qcow2");
    let expected = in_process(&[&base]);
    let systems = |text: &str| {
        let report: Report = serde_json::from_str(text).unwrap();
        serde_json::to_string(&(report.systems, report.storage)).unwrap()
    };
    // In the image's own folder, however it is spelled.
    for backing in ["server.qcow2", "./server.qcow2", &base] {
        let overlay = place.overlay("overlay.qcow2", backing);
        let outcome = inspect(&images, Image::at(&overlay)).unwrap();
        assert_eq!(systems(&printed(&outcome)), systems(&expected), "{backing}");
    }
    // Elsewhere, by a link or by a scheme it is not.
    let outside = place.root.with_file_name("outside.qcow2");
    fs::copy(&base, &outside).unwrap();
    symlink(&outside, place.root.join("link.qcow2")).unwrap();
    fs::create_dir(place.root.join("other")).unwrap();
    fs::copy(&base, place.root.join("other/base.qcow2")).unwrap();
    for backing in [
        "../outside.qcow2",
        outside.to_str().unwrap(),
        "link.qcow2",
        "/etc/passwd",
        "/proc/self/fd/0",
        "/dev/zero",
        "file:server.qcow2",
        "json:{\"file.filename\":\"server.qcow2\"}",
        "nbd://127.0.0.1/x",
        "https://images.test/server.qcow2",
        "other",
    ] {
        let overlay = place.overlay("overlay.qcow2", backing);
        let failure = refused(inspect(&images, Image::at(&overlay)), Code::ReferenceRefused);
        assert!(failure.message.contains("backing file"), "{failure}");
    }
    let overlay = place.overlay("overlay.qcow2", "none.qcow2");
    refused(inspect(&images, Image::at(&overlay)), Code::NotFound);
    // Another folder beneath the root only where images share them.
    fs::create_dir(place.root.join("mine")).unwrap();
    for backing in ["../other/base.qcow2", &place.path("other/base.qcow2")] {
        let overlay = place.overlay("mine/overlay.qcow2", backing);
        refused(inspect(&images, Image::at(&overlay)), Code::ReferenceRefused);
        let roots = place.roots().share_between_images(true);
        let sharing = self::images(roots, Limits::default(), "test");
        assert!(inspect(&sharing, Image::at(&overlay)).is_ok(), "{backing}");
        let out = place.overlay("mine/out.qcow2", "../../outside.qcow2");
        refused(inspect(&sharing, Image::at(&out)), Code::ReferenceRefused);
    }
}

#[test]
fn a_checksum_covers_what_an_image_builds_upon() {
    let place = Place::new();
    let images = place.images();
    let base = place.path("server.qcow2");
    let overlay = place.overlay("overlay.qcow2", "server.qcow2");
    let own = Some(checksum(&images, &overlay));
    let with = |backing: &[(&str, &str)]| Image {
        checksum: own.clone(),
        backing_checksums: backing
            .iter()
            .map(|(name, sum)| ((*name).to_owned(), (*sum).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        ..Image::at(&overlay)
    };
    let failure = refused(inspect(&images, with(&[])), Code::ReferenceRefused);
    assert!(failure.message.contains("backing_checksums"), "{failure}");
    refused(inspect(&images, with(&[("other", own.as_deref().unwrap())])), Code::ReferenceRefused);
    let right = checksum(&images, &base);
    assert!(inspect(&images, with(&[("server.qcow2", &right)])).is_ok());
    let wrong = own.as_deref().unwrap();
    let failure =
        refused(inspect(&images, with(&[("server.qcow2", wrong)])), Code::ChecksumMismatch);
    assert!(!failure.retry_recommended);
    for none in ["", "md5:00", "sha256:"] {
        refused(inspect(&images, with(&[("server.qcow2", none)])), Code::ChecksumInvalid);
    }
    // One that is changed afterwards has another checksum.
    let file = fs::File::options().write(true).open(&base).unwrap();
    file.write_all_at(b"x", 300_000).unwrap();
    refused(inspect(&images, with(&[("server.qcow2", &right)])), Code::ChecksumMismatch);
    let alone = Image { checksum: None, ..with(&[("server.qcow2", &right)]) };
    refused(inspect(&images, alone), Code::ChecksumInvalid);
}

#[test]
fn what_is_parsed_is_what_was_compared() {
    let place = Place::new();
    let path = place.path("server.qcow2");
    let images = place.images();
    let image = Image { checksum: Some(checksum(&images, &path)), ..Image::at(&path) };
    let before = printed(&inspect(&images, image.clone()).unwrap());
    let bytes = fs::read(&path).unwrap();
    let swapped = |swap: &dyn Fn()| {
        let mut done = false;
        images.inspect(
            &request(image.clone()),
            &mut |progress| {
                // The comparison is over, and nothing has been parsed.
                if progress.phase == Phase::Starting && !done {
                    done = true;
                    swap();
                }
            },
            &Canceller::new(),
        )
    };
    // Another file by the same name: the one that was compared is read.
    let outcome = swapped(&|| {
        fs::write(place.root.join("evil"), vec![0; bytes.len()]).unwrap();
        fs::rename(place.root.join("evil"), &path).unwrap();
    });
    assert_eq!(printed(&outcome.unwrap()), before);
    fs::write(&path, &bytes).unwrap();
    // Other bytes in the same file, its times set back.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    let outcome = swapped(&|| {
        let file = fs::File::options().write(true).open(&path).unwrap();
        let evil: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
        file.write_all_at(&evil, 0).unwrap();
        file.set_modified(modified).unwrap();
    });
    let failure = refused(outcome, Code::ChecksumMismatch);
    assert!(failure.message.contains("changed"), "{failure}");
    fs::write(&path, &bytes).unwrap();
    // Without a checksum nobody asked for that.
    assert!(inspect(&images, Image::at(&path)).is_ok());
}

#[test]
fn an_image_on_a_server_is_read_through_the_parent() {
    let place = Place::new();
    let web = Web::of(&place.root);
    let path = place.path("server.qcow2");
    // What is behind the last cluster nobody needs.
    let padded = place.root.join("files/padded.qcow2");
    fs::copy(&path, &padded).unwrap();
    fs::File::options().write(true).open(&padded).unwrap().set_len(6 << 20).unwrap();
    let address = web.address;
    let https = |network: Option<&str>| {
        let https = Https::new([web::NAME])
            .unwrap()
            .ca_file(Some(web.authority.clone()))
            .names(move |_, _| Ok(vec![address]));
        match network {
            Some(network) => https.network(network.parse().unwrap()),
            None => https,
        }
    };
    let images = images(place.roots().https(https(Some("127.0.0.0/8"))), Limits::default(), "web");
    let image = Image::at(web.url("padded.qcow2"));
    let outcome = inspect(&images, image.clone()).unwrap();
    assert_eq!(printed(&outcome), in_process(&[padded.to_str().unwrap()]));
    let length = fs::metadata(&padded).unwrap().len();
    assert!(outcome.fetched.requests > 0 && outcome.fetched.bytes < length / 2, "{outcome:?}");
    println!(
        "{} of {length} bytes in {} requests",
        outcome.fetched.bytes, outcome.fetched.requests
    );
    // With its checksum all of it is fetched, and compared.
    let sum = checksum(&images, web.url("padded.qcow2").as_str());
    let compared = Image { checksum: Some(sum), ..image.clone() };
    assert!(inspect(&images, compared.clone()).unwrap().fetched.bytes >= length);
    let wrong = Image { checksum: Some("0".repeat(64)), ..image.clone() };
    refused(inspect(&images, wrong), Code::ChecksumMismatch);
    // Its neighbours are fetched from there.
    fs::copy(&path, place.root.join("files/server.qcow2")).unwrap();
    let overlay = place.overlay("files/overlay.qcow2", "server.qcow2");
    assert!(Path::new(&overlay).exists());
    assert!(inspect(&images, Image::at(web.url("overlay.qcow2"))).is_ok());
    place.overlay("files/overlay.qcow2", "../x.qcow2");
    refused(inspect(&images, Image::at(web.url("overlay.qcow2"))), Code::ReferenceRefused);
    refused(inspect(&images, Image::at(web.url("none.raw"))), Code::ImageNotFound);
    // Its name leads to this machine, which has to be allowed.
    let strict = self::images(place.roots().https(https(None)), Limits::default(), "web");
    let failure = refused(inspect(&strict, image.clone()), Code::PathRefused);
    assert!(failure.message.contains("127.0.0.1"), "{failure}");
    let none = place.images();
    refused(inspect(&none, image), Code::PathRefused);
}

#[test]
fn several_disks_are_one_machine() {
    let place = Place::new();
    let path = place.path("server.qcow2");
    fs::write(place.root.join("data.img"), vec![0; 1 << 20]).unwrap();
    let data = place.path("data.img");
    let both = Inspection {
        images: vec![Image::at(&path), Image::at(&data)],
        now: Some(NOW),
        ..Inspection::default()
    };
    let outcome = place.images().inspect(&both, &mut |_| {}, &Canceller::new()).unwrap();
    assert_eq!(printed(&outcome), in_process(&[&path, "--disk", &data]));
}

#[test]
fn the_command_is_not_for_people() {
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_fathom")).args(arguments).output().unwrap()
    };
    let by_hand = run(&["__confined"]);
    assert_eq!(by_hand.status.code(), Some(2));
    assert!(by_hand.stdout.is_empty());
    for arguments in [["--help"].as_slice(), &["completions", "bash"]] {
        assert!(!String::from_utf8_lossy(&run(arguments).stdout).contains("__confined"));
    }
}
