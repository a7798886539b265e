//! The real binary on the sample disk that the README looks into.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/server.qcow2")
}

fn fathom<const N: usize>(arguments: [&str; N]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fathom")).args(arguments).output().unwrap()
}

/// Runs a command on the sample and checks its exit code; gives back what it printed.
fn on_sample(code: i32, verb: &[&str], rest: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(verb)
        .arg(sample())
        .args(rest)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{verb:?} {rest:?}: {said}");
    if code != 0 && code != 1 {
        assert!(said.starts_with("fathom: "), "{said}");
    }
    String::from_utf8(output.stdout).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn disk_info_shows_the_whole_tree() {
    let text = on_sample(0, &["disk", "info", "--io"], &[]);
    for wanted in
        ["qcow2", "gpt", "EFI", "LVM", "server/root", "server/var", "ext4", "XFS", "read "]
    {
        assert!(text.contains(wanted), "{wanted} is missing:\n{text}");
    }
    let document = json(&on_sample(0, &["disk", "info", "--json"], &[]));
    assert_eq!(document["schema"], "fathom.disk-info/v1");
    let volumes = document["volumes"].as_array().unwrap();
    let root = volumes.iter().find(|volume| volume["id"] == "server/root").unwrap();
    assert_eq!(root["filesystem"]["kind"], "ext");
    assert_eq!(root["filesystem"]["uuid"], "5ab0f00d-0000-4000-8000-000000000001");
    assert_eq!(root["filesystem"]["health"], "clean");
}

/// An extended partition whose first link leads to itself: how much more there is cannot be known.
#[test]
fn disk_info_of_a_damaged_partition_table_is_partial() {
    let mut disk = vec![0; 4 << 20];
    let mut entry = |at: usize, kind: u8, start: u32, sectors: u32| {
        disk[at + 4] = kind;
        disk[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        disk[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    };
    entry(446, 5, 2048, 4096);
    let first = 2048 * 512;
    entry(first + 446, 0x83, 64, 1024);
    entry(first + 462, 5, 0, 4096);
    for at in [510, first + 510] {
        disk[at..at + 2].copy_from_slice(&[0x55, 0xAA]);
    }
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("loop.raw");
    fs::write(&image, disk).unwrap();
    let output = fathom(["disk", "info", image.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(9));
    assert!(String::from_utf8_lossy(&output.stderr).contains("logical partitions"));
}

#[test]
fn the_namespace_is_what_the_guest_mounts() {
    let os = on_sample(0, &["cat"], &["/etc/os-release"]);
    assert!(os.contains("ID=debian"), "{os}");
    // /var is a filesystem of its own, /boot another, /boot/efi a third.
    let status = on_sample(0, &["cat"], &["/var/lib/dpkg/status"]);
    assert_eq!(status.matches("Package: ").count(), 8);
    assert!(on_sample(0, &["ls"], &["/boot"]).contains("vmlinuz-6.1.0-28-amd64"));
    assert_eq!(
        on_sample(0, &["find"], &["/boot/efi", "--type", "f"]),
        "/boot/efi/EFI/debian/shimx64.efi\n"
    );
    // On one volume alone, nothing is mounted.
    assert_eq!(on_sample(0, &["ls", "--volume", "server/root"], &["/var"]), "");
    on_sample(3, &["cat", "--volume", "server/root"], &["/var/lib/dpkg/status"]);
}

#[test]
fn listings() {
    let long = on_sample(0, &["ls", "-l"], &["/usr/bin/backup", "/etc/os-release"]);
    assert!(long.contains("-rwxr-xr-x"), "{long}");
    assert!(long.contains("/etc/os-release -> ../usr/lib/os-release"), "{long}");
    let tree = on_sample(0, &["tree"], &["/usr"]);
    assert_eq!(tree, "/usr\n├── bin/\n│   └── backup\n└── lib/\n    └── os-release\n");
    let entries = json(&on_sample(0, &["ls", "--json"], &["/home/operator"]));
    assert_eq!(entries[0]["path"], "/home/operator/.profile");
    assert_eq!(entries[0]["uid"], 1000);
    let stat = json(&on_sample(0, &["stat", "--json"], &["/tmp"]));
    assert_eq!(stat[0]["mode"], "1777");
    assert!(on_sample(0, &["ls", "-R"], &["/usr"]).contains("/usr/bin:\nbackup\n"));
}

#[test]
fn checksums_are_those_of_sha256sum() {
    let line = on_sample(0, &["hash"], &["/etc/hostname"]);
    assert_eq!(line, format!("{}  /etc/hostname\n", sha256sum(b"server\n")));
    let all = on_sample(0, &["hash", "--recursive"], &["/"]);
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("sums");
    fs::write(&list, &all).unwrap();
    let list = list.to_str().unwrap();
    let checked = on_sample(0, &["hash", "--check", list], &[]);
    assert_eq!(checked.lines().count(), all.lines().count());
    assert!(checked.lines().all(|line| line.ends_with(": OK")), "{checked}");
    fs::write(list, all.replace("  /etc/hostname", "  /etc/fstab")).unwrap();
    assert!(on_sample(1, &["hash", "--check", list], &[]).contains("/etc/fstab: DIFFERS"));
}

fn sha256sum(bytes: &[u8]) -> String {
    let mut child =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

#[test]
fn copies_keep_times_modes_holes_and_links() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    on_sample(0, &["cp", "--recursive"], &["/usr", "/etc", "/var", to]);
    let backup = fs::metadata(folder.path().join("usr/bin/backup")).unwrap();
    assert_eq!(backup.permissions().mode() & 0o777, 0o755);
    let stat = json(&on_sample(0, &["stat", "--json"], &["/usr/bin/backup"]));
    let seconds = backup.mtime();
    assert!(stat[0]["modified"].as_str().unwrap().starts_with("20"), "{stat}");
    assert!(seconds > 0);
    let sparse = fs::metadata(folder.path().join("var/backups/sparse.img")).unwrap();
    assert_eq!(sparse.len(), 4 << 20);
    assert!(sparse.blocks() < 64, "the hole was filled: {} blocks", sparse.blocks());
    let link = fs::read_link(folder.path().join("etc/os-release")).unwrap();
    assert_eq!(link, Path::new("../usr/lib/os-release"));
    // A second copy does not overwrite unless it is told to.
    on_sample(9, &["cp", "--recursive"], &["/usr", to]);
    on_sample(0, &["cp", "--recursive", "--force"], &["/usr", to]);
    // One file under a new name; a link that is named is followed.
    let name = folder.path().join("release");
    on_sample(0, &["cp"], &["/etc/os-release", name.to_str().unwrap()]);
    assert!(fs::symlink_metadata(&name).unwrap().is_file());
}

#[test]
fn converted_images_hold_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("disk.raw");
    let again = folder.path().join("again.qcow2");
    on_sample(0, &["disk", "convert"], &[raw.to_str().unwrap()]);
    assert_eq!(fs::metadata(&raw).unwrap().len(), 1 << 30);
    let output = fathom(["disk", "convert", raw.to_str().unwrap(), again.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for image in [raw.to_str().unwrap(), again.to_str().unwrap()] {
        let output = fathom(["hash", "-r", image, "/"]);
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            on_sample(0, &["hash", "-r"], &["/"])
        );
    }
    // Nothing is overwritten, and nothing half-written stays behind.
    on_sample(2, &["disk", "convert"], &[raw.to_str().unwrap()]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn searching() {
    assert_eq!(on_sample(0, &["find"], &["/", "--name", "*.cfg"]), "/boot/grub/grub.cfg\n");
    assert_eq!(
        on_sample(0, &["find"], &["/", "--type", "f", "--min-size", "1M"]),
        "/var/backups/sparse.img\n"
    );
    assert_eq!(on_sample(0, &["find"], &["/tmp", "--mode", "1000", "-0"]), "/tmp\0");
    assert_eq!(
        on_sample(0, &["find"], &["/usr", "--max-depth", "1"]),
        "/usr\n/usr/bin\n/usr/lib\n"
    );
    on_sample(2, &["find"], &["/", "--type", "x"]);
}

#[test]
fn what_goes_wrong_has_a_code_and_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let code = |arguments: [&str; 3]| {
        let output = fathom(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
        output.status.code().unwrap()
    };
    assert_eq!(code(["ls", &path("missing"), "/"]), 3);
    assert_eq!(code(["ls", folder.path().to_str().unwrap(), "/"]), 2);
    fs::write(path("empty"), "").unwrap();
    assert_eq!(code(["ls", &path("empty"), "/"]), 3);
    // A truncated image: its header promises what is not there.
    let whole = fs::read(sample()).unwrap();
    fs::write(path("cut"), &whole[..100_000]).unwrap();
    assert_eq!(code(["cat", &path("cut"), "/etc/os-release"]), 5);
    // An unreachable server: nothing listens on that port.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(code(["ls", &format!("http://127.0.0.1:{port}/disk"), "/"]), 8);
    on_sample(3, &["cat"], &["/no/such/file"]);
    on_sample(2, &["cat"], &["/etc"]);
    on_sample(3, &["ls", "--volume", "nonsense"], &["/"]);
    on_sample(3, &["ls", "--snapshot", "nonsense"], &["/"]);
    on_sample(2, &["hash"], &["/etc"]);
}

#[test]
fn an_image_cannot_name_what_is_not_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, vec![b's'; 65536]).unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    for backing in
        [secret.to_str().unwrap(), "../secret", "/proc/self/environ", "json:{}", "nbd://x/"]
    {
        let image = inner.join("overlay.qcow2");
        fs::write(&image, overlay(backing)).unwrap();
        let output = fathom(["disk", "info", image.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(7), "{backing}: {said}");
        assert!(said.contains(backing), "the error does not name {backing}: {said}");
    }
    std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
    let image = inner.join("overlay.qcow2");
    fs::write(&image, overlay("link")).unwrap();
    let image = image.to_str().unwrap();
    assert_eq!(fathom(["disk", "info", image]).status.code(), Some(7));
    let allowed = folder.path().to_str().unwrap();
    let output = fathom(["disk", "info", image, "--allow-path", allowed]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A small qcow2 header with nothing but a raw backing file.
fn overlay(backing: &str) -> Vec<u8> {
    let mut image = vec![0; 4 << 16];
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"QFI\xfb");
    put(4, &3u32.to_be_bytes());
    put(8, &512u64.to_be_bytes());
    put(16, &(backing.len() as u32).to_be_bytes());
    put(20, &16u32.to_be_bytes());
    put(24, &65536u64.to_be_bytes());
    put(36, &1u32.to_be_bytes());
    put(40, &(3u64 << 16).to_be_bytes());
    put(48, &(1u64 << 16).to_be_bytes());
    put(56, &1u32.to_be_bytes());
    put(96, &4u32.to_be_bytes());
    put(100, &104u32.to_be_bytes());
    put(104, &0xE279_2ACAu32.to_be_bytes());
    put(108, &3u32.to_be_bytes());
    put(112, b"raw");
    put(512, backing.as_bytes());
    image
}

#[test]
fn completions_and_help_are_there() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(fathom(["completions", shell]).stdout.len() > 1000);
    }
    let help = String::from_utf8(fathom(["--help"]).stdout).unwrap();
    assert!(help.contains("Exit codes:"));
    assert_eq!(fathom(["nonsense"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(["hash", "-r"])
        .arg(sample())
        .arg("/")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn one_path_that_fails_keeps_the_others_from_nothing() {
    assert_eq!(on_sample(9, &["cat"], &["/none", "/etc/hostname", "/etc"]), "server\n");
    assert!(on_sample(9, &["ls"], &["/none", "/etc"]).contains("hostname"));
    assert!(on_sample(9, &["hash"], &["/etc", "/etc/hostname"]).ends_with("  /etc/hostname\n"));
    let stat = json(&on_sample(9, &["stat", "--json"], &["/none", "/etc"]));
    assert_eq!(stat.as_array().unwrap().len(), 1);
    assert!(on_sample(9, &["tree"], &["/none", "/usr"]).contains("os-release"));
    // Where none could be done, the first one's class is the answer.
    on_sample(3, &["ls"], &["/none", "/nor/this"]);
    on_sample(2, &["cat"], &["/etc", "/none"]);
}

#[test]
fn a_path_that_is_missing_keeps_no_other_from_being_found_or_copied() {
    assert!(on_sample(9, &["find"], &["/boot/grub", "/nope"]).contains("/boot/grub/grub.cfg"));
    on_sample(3, &["find"], &["/nope"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    on_sample(9, &["cp"], &["/etc/fstab", "/nope", out]);
    assert!(folder.path().join("fstab").exists());
}

#[test]
fn what_is_missing_from_a_checked_list_differs_from_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("sums");
    let digest = "0".repeat(64);
    fs::write(&list, format!("# a comment\r\n{digest}  /etc/nope\r\n")).unwrap();
    let said = on_sample(1, &["hash"], &["--check", list.to_str().unwrap()]);
    assert_eq!(said, "/etc/nope: MISSING\n");
    fs::write(&list, format!("{digest}  /etc\n")).unwrap();
    let said = on_sample(9, &["hash"], &["--check", list.to_str().unwrap()]);
    assert_eq!(said, "/etc: CANNOT BE READ\n");
}

#[test]
fn a_tree_of_a_file_is_the_file() {
    assert_eq!(on_sample(0, &["tree"], &["/etc/hostname"]), "/etc/hostname\n");
    let level = json(&on_sample(0, &["tree", "--json", "-L", "1"], &["/usr"]));
    assert_eq!(level.as_array().unwrap().len(), 3);
}

#[test]
fn programs_can_read_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    let to = to.to_str().unwrap();
    let done = json(&on_sample(0, &["cp", "-r", "--json"], &["/etc", to]));
    assert_eq!(
        (&done["files"], &done["links"], &done["directories"]),
        (&3.into(), &1.into(), &1.into())
    );
    let again = json(&on_sample(9, &["cp", "-r", "--json"], &["/etc/hostname", to]));
    assert_eq!((&again["files"], &again["kept"]), (&0.into(), &1.into()));
    let raw = folder.path().join("boot.raw");
    let raw = raw.to_str().unwrap();
    let arguments = ["--volume", "disk0/p2", "--json", raw];
    let written = json(&on_sample(0, &["disk", "convert"], &arguments));
    assert_eq!((&written["format"], &written["virtual_size"]), (&"raw".into(), &(64 << 20).into()));
    let sums = folder.path().join("sums");
    fs::write(&sums, on_sample(0, &["hash"], &["/etc/hostname"])).unwrap();
    let sums = sums.to_str().unwrap();
    let checked = json(&on_sample(0, &["hash", "--json", "--check", sums], &[]));
    assert_eq!(checked[0]["verdict"], "OK");
}

#[test]
fn nothing_is_written_where_it_was_not_meant() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // A raw image by the name of another format would be taken for that format.
    on_sample(2, &["disk", "convert"], &[&path("disk.vmdk")]);
    // A device node is not replaced by a file.
    on_sample(2, &["disk", "convert", "--force"], &["/dev/null"]);
    on_sample(10, &["disk", "convert"], &[&path("none/disk.raw")]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let output = fathom(["ls", "ftp://127.0.0.1/disk.raw"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_interrupted_command_ends_at_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .arg("cat")
        .arg(sample())
        .arg("/var/backups/sparse.img")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first bytes are there, so it runs, and it waits for somebody to read the others.
    let mut stdout = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut stdout, &mut [0; 1]).unwrap();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(11));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "fathom: interrupted\n");
}

/// Nobody can read what is said: that changes nothing of how a command ends.
#[test]
fn standard_error_that_cannot_be_written_ends_nothing() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    for (code, arguments) in [(3, ["inspect", "/no/such/disk"]), (2, ["man", "nonsense"])] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
        let status = command.args(arguments).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
    // A pipe that nobody reads any more.
    let mut child = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(["cat", sample().to_str().unwrap(), "/none", "/etc/hostname"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(9), b"server\n".as_slice()));
}

/// A small ext4 that holds these files.
fn image_of(folder: &Path, files: &[(&[u8], &str)]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let (root, image) = (folder.join("root"), folder.join("disk.img"));
    for (path, text) in files {
        let path = root.join(std::ffi::OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let made = Command::new("mke2fs")
        .args(["-q", "-t", "ext4", "-d"])
        .args([&root, &image])
        .arg("8M")
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .stdout(Stdio::null())
        .status();
    if made.is_ok_and(|status| status.success()) {
        return Some(image);
    }
    println!("skipped, as there is no mke2fs");
    None
}

#[test]
fn equal_warnings_are_said_once_and_lists_that_lack_a_mount_are_partial() {
    let folder = tempfile::tempdir().unwrap();
    let release = (b"etc/os-release".as_slice(), "ID=debian\n");
    let lines = "UUID=abc /nope ext4 defaults 0 0\n".repeat(1000);
    let Some(image) = image_of(folder.path(), &[release, (b"etc/fstab", &lines)]) else { return };
    let image = image.to_str().unwrap();
    let to = folder.path().join("out");
    let to = to.to_str().unwrap();
    for (code, arguments) in [
        (9, ["ls", image, "/"].as_slice()),
        (9, &["tree", image, "/"]),
        (9, &["find", image, "/"]),
        (9, &["hash", "-r", image, "/"]),
        (9, &["cp", "-r", image, "/", to]),
        // These hold all that the machine has there.
        (0, &["ls", image, "/etc"]),
        (0, &["find", image, "/etc"]),
        (0, &["cat", image, "/etc/os-release"]),
        (0, &["ls", image, "/", "--volume", "disk0"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_fathom")).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        let warnings = usize::from(!arguments.contains(&"--volume"));
        assert_eq!(said.lines().count(), warnings, "{arguments:?}: {said}");
    }
}

/// What a command prints on a terminal of its own.
fn on_a_terminal(arguments: &[&str]) -> Option<Vec<u8>> {
    let command = arguments.iter().map(|one| format!("'{one}'")).collect::<Vec<_>>().join(" ");
    // The bar that shows how far it has come commands the terminal, as it must.
    let command = format!("exec {} {command} 2>/dev/null", env!("CARGO_BIN_EXE_fathom"));
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output();
    match output {
        Ok(output) => Some(output.stdout),
        Err(_) => {
            println!("skipped, as there is no script(1)");
            None
        }
    }
}

#[test]
fn a_terminal_obeys_no_name_of_the_guest() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["a\u{1b}[31m", "b\u{9b}2J", "c\u{202e}"];
    let files = names.map(|name| (format!("data/{name}").into_bytes(), "x"));
    let files: Vec<(&[u8], &str)> = files.iter().map(|(name, text)| (&**name, *text)).collect();
    let Some(image) = image_of(folder.path(), &files) else { return };
    let image = image.to_str().unwrap();
    for arguments in [
        ["hash", "-r", image, "/data"].as_slice(),
        &["ls", "--json", image, "/data"],
        &["find", image, "/data"],
    ] {
        let Some(shown) = on_a_terminal(arguments) else { return };
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("31m") && shown.contains("2J"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{arguments:?}: {shown:?}");
    }
    // Who reads them through a pipe gets the bytes, as sha256sum gives them.
    let piped = String::from_utf8(fathom(["hash", "-r", image, "/data"]).stdout).unwrap();
    assert!(names.iter().all(|name| piped.contains(&format!("  /data/{name}\n"))), "{piped:?}");
}

#[test]
fn what_is_named_and_is_not_there_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let none = none.to_str().unwrap();
    on_sample(3, &["ls", "--key-file", none], &[]);
    on_sample(3, &["ls", "--key-env", "FATHOM_NO_SUCH_VARIABLE"], &[]);
    on_sample(3, &["ls", "--http-auth-env", "FATHOM_NO_SUCH_VARIABLE"], &[]);
    on_sample(3, &["hash", "--check", none], &[]);
}
