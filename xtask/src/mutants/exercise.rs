//! Reads everything that an image lets itself be read for. Of a damaged image it matters only that
//! something comes back, in bounded time and memory; of a healthy one, that nothing was wrong.

#[path = "exercise/advisory.rs"]
pub(crate) mod advisory;
#[path = "exercise/intake.rs"]
pub(crate) mod intake;

use std::cmp::Ordering;
use std::sync::Arc;

use fathom_block::{Error, ErrorKind, Location, Opener, ReadAt, Result, Window};
use fathom_filesystem::{FileType, Tree};
use fathom_guest::report::{Listing, Package, Problem};
use fathom_registry::{Hive, Key};
use fathom_version::Scheme;
use fathom_volume::{Discovery, Disk, Keys};

use super::memory;

/// The most bytes of one file or disk that are read: a sparse file may claim 2^63.
const MOST: u64 = 8 << 20;

/// The most paths that are visited.
const PATHS: usize = 20_000;

/// How many errors are remembered.
const REMEMBERED: usize = 64;

/// What reading came to.
#[derive(Default)]
pub(crate) struct Outcome {
    /// How many bytes were read.
    pub(crate) bytes: u64,
    /// What could not be read, and what was wrong with what could.
    pub(crate) errors: Vec<Error>,
}

impl Outcome {
    /// What was read, if it was.
    pub(crate) fn take<T>(&mut self, read: Result<T>) -> Option<T> {
        read.map_err(|error| self.wrong([error])).ok()
    }

    fn wrong(&mut self, errors: impl IntoIterator<Item = Error>) {
        let room = REMEMBERED.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Reads the start and the end; says how much that was.
    fn read(&mut self, reader: &dyn ReadAt) -> u64 {
        let mut buffer = vec![0; 256 << 10];
        let mut read = 0;
        while read < reader.len().min(MOST) {
            let length = buffer.len().min((reader.len() - read) as usize);
            self.take(reader.read_at(read, &mut buffer[..length]));
            read += length as u64;
        }
        let tail = buffer.len().min(reader.len() as usize);
        self.take(reader.read_at(reader.len() - tail as u64, &mut buffer[..tail]));
        self.bytes += read;
        read
    }
}

/// Takes the bytes for a container image, and then for what lies in it.
pub(crate) fn container(image: Vec<u8>) -> Outcome {
    container_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn container_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let location = Location::Path("mutant".into());
    for disk in outcome.take(Opener::new().open_reader(image, &location)).unwrap_or_default() {
        outcome.wrong(disk.problems);
        outcome.read(&*disk.reader);
        data(&*disk.reader);
    }
    outcome
}

/// Takes the bytes for a disk with volumes on it.
pub(crate) fn volumes(image: Vec<u8>) -> Outcome {
    volumes_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn volumes_at(image: Arc<dyn ReadAt>) -> Outcome {
    let disk = Disk { name: "mutant".into(), reader: image, sector_size: None };
    found(&fathom_volume::discover(&[disk], &Keys::default()))
}

/// Reads the volumes that were found.
pub(crate) fn found(discovery: &Discovery) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.wrong(discovery.problems.iter().cloned());
    let _ = fathom_volume::render(discovery, &|volume| format!("{:?}", volume.problem));
    for volume in discovery.volumes.iter().take(200) {
        outcome.wrong(volume.problem.clone());
        if let Some(reader) = &volume.reader {
            outcome.read(&**reader);
        }
    }
    outcome
}

/// Takes the bytes for a filesystem.
pub(crate) fn filesystem(image: Vec<u8>) -> Outcome {
    filesystem_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn filesystem_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(filesystem) = outcome.take(fathom_filesystem::open(image)) else {
        return outcome;
    };
    let _ = filesystem.info();
    let tree = Tree::new(filesystem);
    let Some(walk) = outcome.take(tree.walk(b"/")) else {
        return outcome;
    };
    let mut budget = 4 * MOST;
    for step in walk.take(PATHS) {
        outcome.wrong(step.problem);
        outcome.take(step.found.xattrs());
        let Some(metadata) = outcome.take(step.metadata) else {
            continue;
        };
        match metadata.file_type {
            FileType::Symlink => {
                outcome.take(step.found.read_link());
                // It may well lead nowhere.
                let to = tree.resolve(&step.path, true);
                outcome.wrong(to.err().filter(|error| error.kind() != ErrorKind::NotFound));
            }
            FileType::File => {
                let Some(file) = outcome.take(step.found.open()) else {
                    continue;
                };
                data(&*file);
                if budget > 0 {
                    budget = budget.saturating_sub(outcome.read(&*file));
                }
            }
            _ => {}
        }
    }
    outcome.wrong(tree.problems());
    outcome
}

/// Takes the bytes for a database of SQLite, and what follows its pages for what lies beside it.
pub(crate) fn rpm_sqlite(image: Vec<u8>) -> Outcome {
    rpm_sqlite_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn rpm_sqlite_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut head = [0; 32];
    let length = head.len().min(image.len() as usize);
    let _ = image.read_at(0, &mut head[..length]);
    let size = match u64::from(head[16]) << 8 | u64::from(head[17]) {
        1 => 65536,
        size => size,
    };
    let pages = u32::from_be_bytes([head[28], head[29], head[30], head[31]]);
    let end = (size * u64::from(pages)).min(image.len());
    let rest: Arc<dyn ReadAt> =
        Arc::new(Window::clipped(Arc::clone(&image), end, image.len() - end));
    let main: Arc<dyn ReadAt> = Arc::new(Window::clipped(image, 0, end));
    let mut first = [0];
    let is_journal = !rest.is_empty() && rest.read_at(0, &mut first).is_ok() && first[0] == 0xD9;
    let path = "/var/lib/rpm/rpmdb.sqlite";
    let beside = format!("{path}{}", if is_journal { "-journal" } else { "-wal" });
    packages_at(vec![(path, main), (&beside, rest)])
}

/// Takes the bytes for a hash table of Berkeley DB.
pub(crate) fn rpm_bdb(image: Vec<u8>) -> Outcome {
    rpm_bdb_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn rpm_bdb_at(image: Arc<dyn ReadAt>) -> Outcome {
    packages_at(vec![("/var/lib/rpm/Packages", image)])
}

/// Takes the bytes for the container of SUSE.
pub(crate) fn rpm_ndb(image: Vec<u8>) -> Outcome {
    rpm_ndb_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn rpm_ndb_at(image: Arc<dyn ReadAt>) -> Outcome {
    packages_at(vec![("/var/lib/rpm/Packages.db", image)])
}

/// Takes the bytes for the header of a package, in a container that is whole.
pub(crate) fn rpm_header(image: Vec<u8>) -> Outcome {
    rpm_ndb(ndb(&[image]))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn rpm_header_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut header = vec![0; image.len().min(1 << 20) as usize];
    let _ = image.read_at(0, &mut header);
    rpm_header(header)
}

/// The headers in the container of SUSE; at most as many as one page of slots holds.
pub(crate) fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let words = |words: &[usize]| -> Vec<u8> {
        words.iter().flat_map(|word| (*word as u32).to_le_bytes()).collect()
    };
    let mut file = [b"RpmP".to_vec(), words(&[0, 1, 1, 999, 0, 0, 0])].concat();
    file.resize(4096, 0);
    (32..4096).step_by(16).for_each(|slot| file[slot..slot + 4].copy_from_slice(b"Slot"));
    for (index, header) in headers.iter().take(254).enumerate() {
        let mut whole = [b"BlbS".to_vec(), words(&[index + 1, 0, header.len()])].concat();
        whole.extend(header);
        let blocks = (whole.len() + 12).div_ceil(16);
        whole.resize(blocks * 16 - 12, 0);
        whole.extend(words(&[adler32(&whole) as usize, header.len()]));
        let slot = words(&[index + 1, file.len() / 16, blocks]);
        file[32 + 16 * index + 4..][..12].copy_from_slice(&slot);
        file.extend([&whole[..], b"BlbE"].concat());
    }
    file
}

/// The checksum of RFC 1950.
pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

/// Takes the bytes for an archive of Java.
pub(crate) fn jar(image: Vec<u8>) -> Outcome {
    jar_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn jar_at(image: Arc<dyn ReadAt>) -> Outcome {
    languages_at(vec![("/x-1.jar", image)])
}

/// Takes the bytes for a program.
pub(crate) fn program(image: Vec<u8>) -> Outcome {
    program_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn program_at(image: Arc<dyn ReadAt>) -> Outcome {
    languages_at(vec![("/bin/x*", image)])
}

/// Takes the bytes for one of the texts in which languages write down what is installed; the first
/// byte says which.
pub(crate) fn metadata(image: Vec<u8>) -> Outcome {
    metadata_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn metadata_at(image: Arc<dyn ReadAt>) -> Outcome {
    let names = [
        "/a.dist-info/METADATA",
        "/specifications/a.gemspec",
        "/node_modules/a/package.json",
        "/composer/installed.json",
        "/a.deps.json",
    ];
    let mut first = [0];
    let length = image.len().min(1);
    let _ = image.read_at(0, &mut first[..length as usize]);
    let name = names[usize::from(first[0]) % names.len()];
    let rest = image.len() - length;
    languages_at(vec![(name, Arc::new(Window::clipped(image, length, rest)))])
}

/// Lists the packages of languages in these files.
fn languages_at(files: Vec<(&str, Arc<dyn ReadAt>)>) -> Outcome {
    listed(fathom_guest::languages(&memory::readers(files.into_iter())))
}

/// Lists the packages of these files.
fn packages_at(files: Vec<(&str, Arc<dyn ReadAt>)>) -> Outcome {
    listed(fathom_guest::packages(&memory::readers(files.into_iter())))
}

fn listed((listing, problems): (Listing<Package>, Vec<Problem>)) -> Outcome {
    let mut outcome = Outcome { bytes: listing.items.len() as u64, errors: Vec::new() };
    outcome
        .wrong(problems.into_iter().map(|problem| Error::corrupt("packages", 0, problem.message)));
    outcome
}

/// What stands before each path of [`network`] and [`system`].
pub(crate) const PATH: &str = "//// ";

/// The tree of the files in the text, each with a line before it that says its path.
fn files_of(image: &dyn ReadAt) -> Tree {
    let mut bytes = vec![0; image.len().min(1 << 20) as usize];
    let _ = image.read_at(0, &mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let files = text.split(PATH).filter_map(|file| file.split_once('\n')).take(100);
    let files = files.map(|(path, text)| {
        let reader: Arc<dyn ReadAt> = Arc::new(text.as_bytes().to_vec());
        (path, reader)
    });
    memory::readers(files)
}

/// Takes the text for files that configure the network and start services.
pub(crate) fn network(image: Vec<u8>) -> Outcome {
    network_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn network_at(image: Arc<dyn ReadAt>) -> Outcome {
    let (services, network, problems) = fathom_guest::network(&files_of(&*image));
    let count = services.items.len() + network.interfaces.items.len() + network.routes.items.len();
    let mut outcome = Outcome { bytes: count as u64, errors: Vec::new() };
    outcome
        .wrong(problems.into_iter().map(|problem| Error::corrupt("network", 0, problem.message)));
    outcome
}

/// Takes the text for the files of a system, and says all that there is to say of it.
pub(crate) fn system(image: Vec<u8>) -> Outcome {
    system_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn system_at(image: Arc<dyn ReadAt>) -> Outcome {
    let options = fathom_guest::Options { deep: true, ..fathom_guest::Options::default() };
    let system = fathom_guest::linux(&files_of(&*image), &options);
    let count = system.packages.items.len()
        + system.users.accounts.items.len()
        + system.services.items.len()
        + system.mounts.items.len()
        + system.applications.items.len();
    let mut outcome = Outcome { bytes: count as u64, errors: Vec::new() };
    let problems = system.problems.into_iter();
    outcome.wrong(problems.map(|problem| Error::corrupt("system", 0, problem.message)));
    outcome
}

/// Takes the bytes for an initial filesystem, and for a kernel.
pub(crate) fn initramfs(image: Vec<u8>) -> Outcome {
    initramfs_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn initramfs_at(image: Arc<dyn ReadAt>) -> Outcome {
    let kernel = Arc::clone(&image);
    boot_at(vec![("/boot/initrd.img-1", image), ("/boot/vmlinuz-1", kernel)])
}

/// Takes the bytes for the script of GRUB, and what follows a zero for all else that loaders read.
pub(crate) fn grub(image: Vec<u8>) -> Outcome {
    let script = image.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let rest = image.get(script.len() + 1..).unwrap_or_default();
    let environment = [b"# GRUB Environment Block\n", rest].concat();
    boot_at(vec![
        ("/boot/grub/grub.cfg", Arc::new(script)),
        ("/boot/grub/grubenv", Arc::new(environment)),
        ("/boot/loader/entries/1.conf", Arc::new(rest.to_vec())),
        ("/boot/extlinux.conf", Arc::new(rest.to_vec())),
        ("/boot/vmlinuz-1", Arc::new(b"kernel".to_vec())),
    ])
}

/// The same, of bytes that are not all in memory.
pub(crate) fn grub_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut bytes = vec![0; image.len().min(1 << 20) as usize];
    let _ = image.read_at(0, &mut bytes);
    grub(bytes)
}

/// Says what a system with these files starts with.
fn boot_at(mut files: Vec<(&str, Arc<dyn ReadAt>)>) -> Outcome {
    for list in ["/lib/modules/1/modules.builtin", "/lib/modules/1/modules.dep"] {
        files.push((list, Arc::new(b"kernel/virtio_blk.ko:\n".to_vec())));
    }
    let tree = memory::readers(files.into_iter());
    let (boot, problems) = fathom_guest::boot(&tree);
    let mut outcome = Outcome { bytes: boot.kernels.items.len() as u64, errors: Vec::new() };
    outcome.wrong(problems.into_iter().map(|problem| Error::corrupt("boot", 0, problem.message)));
    outcome
}

/// A database of packages that makes the texts of the family count.
const STATUS: &[u8] =
    b"Package: openssh-server\nStatus: install ok installed\nVersion: 1:9.2p1-2\n\n\
    Package: unattended-upgrades\nStatus: install ok installed\nVersion: 2\n\n";

/// The places of texts that say how a system is guarded.
const TEXTS: [&str; 13] = [
    "/etc/ssh/sshd_config",
    "/etc/sysctl.d/a.conf",
    "/etc/apt/apt.conf",
    "/etc/apt/sources.list.d/a.sources",
    "/etc/apt/sources.list",
    "/etc/apparmor.d/a",
    "/etc/selinux/config",
    "/etc/audit/rules.d/a.rules",
    "/etc/pam.d/common-password",
    "/etc/security/pwquality.conf",
    "/etc/login.defs",
    "/etc/security/limits.conf",
    "/boot/grub/grub.cfg",
];

/// Services that make some of the texts count.
const SERVICES: [&str; 2] =
    ["/usr/lib/systemd/system/auditd.service", "/usr/lib/systemd/system/apparmor.service"];

/// Takes the bytes for every text that says how a system is guarded.
pub(crate) fn security_text(image: Vec<u8>) -> Outcome {
    security_text_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn security_text_at(image: Arc<dyn ReadAt>) -> Outcome {
    let whole = |bytes: &'static [u8]| -> Arc<dyn ReadAt> { Arc::new(bytes.to_vec()) };
    let texts = TEXTS.iter().map(|path| (*path, image.clone()));
    let services = SERVICES.iter().map(|path| (*path, whole(b"[Service]\nExecStart=/x\n")));
    let files = texts.chain(services).chain([("/var/lib/dpkg/status", whole(STATUS))]);
    security_at(files.collect())
}

/// Takes the bytes for certificates: for DER and for PEM.
pub(crate) fn certificate(image: Vec<u8>) -> Outcome {
    certificate_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn certificate_at(image: Arc<dyn ReadAt>) -> Outcome {
    security_at(vec![("/etc/nginx/a.der", image)])
}

/// Says how what these files make is guarded.
fn security_at(files: Vec<(&str, Arc<dyn ReadAt>)>) -> Outcome {
    let tree = memory::readers(files.into_iter());
    let (security, problems) = fathom_guest::security(&tree);
    let found = security.certificates.items.len() + security.settings.items.len();
    let mut outcome = Outcome { bytes: found as u64, errors: Vec::new() };
    outcome
        .wrong(problems.into_iter().map(|problem| Error::corrupt("security", 0, problem.message)));
    outcome
}

/// Takes the bytes for the databases of bbolt that engines of containers keep.
pub(crate) fn bolt(image: Vec<u8>) -> Outcome {
    bolt_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn bolt_at(image: Arc<dyn ReadAt>) -> Outcome {
    containers_at(vec![
        ("/var/lib/containers/storage/libpod/bolt_state.db", Arc::clone(&image)),
        ("/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", image),
    ])
}

/// Takes the bytes for any of the documents that Docker keeps.
pub(crate) fn docker(image: Vec<u8>) -> Outcome {
    docker_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory: by what they begin with they are one or another.
pub(crate) fn docker_at(image: Arc<dyn ReadAt>) -> Outcome {
    let folder = format!("/var/lib/docker/containers/{}", "0123456789abcdef".repeat(4));
    let mut start = [0; 64];
    let length = start.len().min(image.len() as usize);
    let _ = image.read_at(0, &mut start[..length]);
    let has = |word: &str| start.windows(word.len()).any(|part| part == word.as_bytes());
    let config: Arc<dyn ReadAt> = Arc::new(b"{\"ID\":\"a\"}".to_vec());
    let storage = "/var/lib/containers/storage";
    let places = if start.trim_ascii_start().starts_with(b"[") {
        vec![
            (format!("{storage}/overlay-images/images.json"), Arc::clone(&image)),
            (format!("{storage}/overlay-containers/containers.json"), image),
        ]
    } else if has("Repositories") {
        vec![("/var/lib/docker/image/overlay2/repositories.json".to_owned(), image)]
    } else if has("StreamConfig") {
        vec![(format!("{folder}/config.v2.json"), image)]
    } else {
        vec![
            (format!("{folder}/config.v2.json"), config),
            (format!("{folder}/hostconfig.json"), Arc::clone(&image)),
            ("/etc/docker/daemon.json".to_owned(), image),
        ]
    };
    containers_at(places.iter().map(|(path, file)| (path.as_str(), Arc::clone(file))).collect())
}

/// Lists what engines of containers keep in these files.
fn containers_at(files: Vec<(&str, Arc<dyn ReadAt>)>) -> Outcome {
    let tree = memory::readers(files.into_iter());
    let (found, problems) = fathom_guest::containers(&tree);
    let items = found.images.items.len() + found.containers.items.len();
    let mut outcome = Outcome { bytes: items as u64, errors: Vec::new() };
    let errors = problems.into_iter().map(|it| Error::corrupt("containers", 0, it.message));
    outcome.wrong(errors);
    outcome
}

/// The files of a Windows that one image holds: how long each is stands at its beginning.
pub(crate) const WINDOWS: [&str; 5] = [
    "/Windows/System32/config/SYSTEM",
    "/Windows/System32/config/SOFTWARE",
    "/Windows/System32/config/SAM",
    "/Boot/BCD",
    "/Windows/System32/ntoskrnl.exe",
];

/// Takes the bytes for the hives, the boot menu and the kernel of a Windows.
pub(crate) fn windows(image: Vec<u8>) -> Outcome {
    windows_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn windows_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut lengths = [0; 4 * WINDOWS.len()];
    let mut at = lengths.len() as u64;
    if image.len() < at || image.read_at(0, &mut lengths).is_err() {
        return Outcome::default();
    }
    let mut files: Vec<(&str, Arc<dyn ReadAt>)> = Vec::new();
    for (path, length) in WINDOWS.iter().zip(lengths.as_chunks::<4>().0) {
        let length = u64::from(u32::from_le_bytes(*length)).min(image.len() - at);
        files.push((path, Arc::new(Window::clipped(image.clone(), at, length))));
        at += length;
    }
    let system = fathom_guest::windows(&memory::readers(files.into_iter()));
    let mut outcome = Outcome { bytes: system.services.items.len() as u64, errors: Vec::new() };
    let problems = system.problems.into_iter();
    outcome.wrong(problems.map(|problem| Error::corrupt("windows", 0, problem.message)));
    outcome
}

/// Walks the map of holes.
fn data(reader: &dyn ReadAt) {
    let mut at = 0;
    for _ in 0..10_000 {
        match reader.next_data(at) {
            Some(range) => {
                assert!(range.start >= at && range.end > range.start, "{range:?} after {at}");
                assert!(range.end <= reader.len(), "{range:?} of {}", reader.len());
                at = range.end;
            }
            None => break,
        }
    }
}

/// Where a hive ends and its two logs start, in one image of all three.
pub(crate) const LOGS: [u64; 2] = [1 << 20, 2 << 20];

/// Takes the bytes for versions, a line each.
pub(crate) fn version(image: Vec<u8>) -> Outcome {
    version_at(Arc::new(image))
}

/// The most bytes of versions that are read.
const VERSIONS: u64 = 1 << 20;

/// The same, of bytes that are not all in memory. Every version is compared with the one before it,
/// in every order.
pub(crate) fn version_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut bytes = vec![0; image.len().min(VERSIONS) as usize];
    outcome.take(image.read_at(0, &mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    let mut before = "";
    for version in text.split('\n').take(PATHS) {
        for scheme in SCHEMES {
            compare(scheme, before, version);
        }
        outcome.bytes += version.len() as u64;
        before = version;
    }
    outcome
}

/// All orders of versions.
const SCHEMES: [Scheme; 12] = [
    Scheme::Debian,
    Scheme::Rpm,
    Scheme::Apk,
    Scheme::Pacman,
    Scheme::Semver,
    Scheme::Go,
    Scheme::Pep440,
    Scheme::Maven,
    Scheme::Gem,
    Scheme::Nuget,
    Scheme::Packagist,
    Scheme::Windows,
];

/// Keys must be the same whenever they are made, and say what those say that compare without keys.
fn compare(scheme: Scheme, one: &str, other: &str) {
    let (key, keys) = (scheme.key(one), scheme.compare(one, other));
    let mut behind = vec![0x5A];
    assert_eq!(scheme.encode(one, &mut behind), key.is_some(), "{scheme:?} {one:?}");
    assert_eq!(behind.split_first(), Some((&0x5A, key.as_deref().unwrap_or_default())));
    assert_eq!(scheme.compare(one, one), key.map(|_| Ordering::Equal), "{scheme:?} {one:?}");
    assert_eq!(
        scheme.compare(other, one),
        keys.map(Ordering::reverse),
        "{scheme:?} {one:?} {other:?}"
    );
    match scheme {
        Scheme::Debian => {
            assert_eq!(fathom_version::debian(one, other), keys, "{one:?} {other:?}");
        }
        Scheme::Rpm => {
            // A release that only one has does not count there.
            let release = one.contains('-').cmp(&other.contains('-'));
            let order = fathom_version::rpm(one, other).then(release);
            assert_eq!(Some(order), keys, "{one:?} {other:?}");
        }
        _ => {}
    }
}

/// Takes the bytes for a registry hive with its logs behind it.
pub(crate) fn registry(image: Vec<u8>) -> Outcome {
    registry_at(Arc::new(image))
}

/// The same, of bytes that are not all in memory.
pub(crate) fn registry_at(image: Arc<dyn ReadAt>) -> Outcome {
    let mut outcome = Outcome::default();
    let part = |start: u64, length: u64| -> Arc<dyn ReadAt> {
        Arc::new(Window::clipped(image.clone(), start, length))
    };
    let [first, second] = LOGS;
    let logs = [part(first, second - first), part(second, u64::MAX)];
    // A hive that is longer than its place has no logs.
    let hives = if image.len() > second {
        Hive::open(part(0, first), &logs)
    } else {
        Hive::open(image.clone(), &[])
    };
    let Some(hive) = outcome.take(hives) else {
        return outcome;
    };
    let mut keys: Vec<Key> = outcome.take(hive.root()).into_iter().collect();
    let mut budget = 4 * MOST;
    let mut steps = 10 * PATHS;
    let mut visited = 0;
    while let Some(key) = keys.pop() {
        visited += 1;
        outcome.take(key.class_name());
        for value in key.values().take(steps.min(PATHS)) {
            steps = steps.saturating_sub(1);
            let Some(value) = outcome.take(value) else {
                continue;
            };
            if u64::from(value.size()) > budget {
                continue;
            }
            if let Some(data) = outcome.take(value.data()) {
                outcome.bytes += data.len() as u64;
                budget = budget.saturating_sub(data.len() as u64);
            }
            let _ = (value.string(), value.strings(), value.dword(), value.qword());
        }
        for subkey in key.subkeys().take(steps.min(PATHS)) {
            steps = steps.saturating_sub(1);
            keys.extend(outcome.take(subkey));
        }
        if visited < 50 {
            outcome.take(key.subkey("no such key"));
            outcome.take(key.lookup(r"Software\Microsoft"));
        }
    }
    outcome.wrong(hive.problems());
    outcome
}
