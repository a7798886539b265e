//! `fathom inspect` as it is typed: where documents go, what is refused, how wide tables are; and
//! `fathom diff`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What a command printed, what it said besides, and how it ended.
struct Outcome {
    out: String,
    said: String,
    code: i32,
}

fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/server.qcow2");
    path.to_str().unwrap().to_owned()
}

fn fathom(folder: &Path, arguments: &[&str]) -> Outcome {
    fathom_with(folder, arguments, &[])
}

fn fathom_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("SOURCE_DATE_EPOCH")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    Outcome {
        out: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn documents_go_where_they_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (at, sample) = (folder.path(), sample());
    let printed = fathom(at, &["inspect", &sample, "--format", "yaml"]);
    let written = fathom(at, &["inspect", &sample, "--format", "yaml", "-o", "report.yaml"]);
    assert_eq!((written.code, written.out.as_str()), (printed.code, ""), "{}", written.said);
    assert_eq!(fs::read_to_string(at.join("report.yaml")).unwrap(), printed.out);
    // What is there stays, unless it is said otherwise.
    let again = fathom(at, &["inspect", &sample, "--json", "-o", "report.yaml"]);
    assert_eq!(again.code, 2);
    assert!(again.said.contains("--force"), "{}", again.said);
    assert_eq!(fs::read_to_string(at.join("report.yaml")).unwrap(), printed.out);
    let forced = fathom(at, &["inspect", &sample, "--json", "-o", "report.yaml", "--force"]);
    assert_eq!(forced.code, printed.code);
    assert!(fs::read_to_string(at.join("report.yaml")).unwrap().starts_with('{'));
    // Several machines are files in a folder, each of its own name.
    let several = ["inspect", &sample, &sample, "--format", "spdx", "-o", "all"];
    fathom(at, &several);
    assert_eq!(names(&at.join("all")), ["server.qcow2-2.spdx.json", "server.qcow2.spdx.json"]);
    // So are several sections as CSV.
    let sections = ["--format", "csv", "--section", "users,packages", "-o", "tables"];
    fathom(at, &[&["inspect", &sample], sections.as_slice()].concat());
    assert_eq!(names(&at.join("tables")), ["server.qcow2.packages.csv", "server.qcow2.users.csv"]);
    assert_eq!(names(at), ["all", "report.yaml", "tables"]);
}

#[test]
fn a_saved_report_is_shown_as_its_machine_was() {
    let folder = tempfile::tempdir().unwrap();
    let (at, sample) = (folder.path(), sample());
    let json = fathom(at, &["inspect", &sample, "--json"]);
    fs::write(at.join("now.json"), &json.out).unwrap();
    for options in [
        &["--json"][..],
        &["--format", "html"],
        &["--section", "packages,users"],
        &["--profile", "hardening", "--format", "markdown"],
        &["--format", "spdx", "--timestamp", "2026-01-01T00:00:00Z"],
    ] {
        let of_disk = fathom(at, &[&["inspect", &sample][..], options].concat());
        let saved = fathom(at, &[&["inspect", "now.json"][..], options].concat());
        // Only the name by which it is called is another.
        let named = saved.out.replace("now.json", "server.qcow2");
        assert_eq!((saved.code, named), (of_disk.code, of_disk.out), "{options:?} {}", saved.said);
    }
    for (options, code) in [
        (&["now.json", "--deep"][..], 2),
        (&["now.json", "--disk", &sample], 2),
        (&["-", "-"], 2),
        (&["no.json"], 3),
        (&["-"], 2),
    ] {
        let refused = fathom(at, &[&["inspect"][..], options].concat());
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (code, ""),
            "{options:?} {}",
            refused.said
        );
    }
    fs::write(at.join("none.json"), json.out.replace("fathom.report/v1", "fathom.report/v9"))
        .unwrap();
    let newer = fathom(at, &["inspect", "none.json", "now.json"]);
    assert_eq!(newer.code, 9, "{}", newer.said);
    assert!(newer.said.contains("fathom.report/v9"), "{}", newer.said);
}

#[test]
fn standard_output_and_devices_are_written_to_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (at, sample) = (folder.path(), sample());
    let printed = fathom(at, &["inspect", &sample, "--json"]);
    for name in ["-", "/dev/stdout", "/proc/self/fd/1"] {
        let written = fathom(at, &["inspect", &sample, "--json", "-o", name]);
        assert_eq!((written.code, &written.out), (printed.code, &printed.out), "{name}");
    }
    assert_eq!(fathom(at, &["inspect", &sample, "--json", "-o", "/dev/null"]).out, "");
    let differs = fathom(at, &["diff", &sample, &sample, "-o", "-"]);
    assert!(differs.out.contains("nothing differs"), "{}", differs.said);
    assert!(names(at).is_empty());
}

#[test]
fn each_line_says_which_of_several_machines_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let (at, sample) = (folder.path(), sample());
    // The name of the image is a word of what is said.
    fs::write(at.join("disks"), [7; 4096]).unwrap();
    let outcome = fathom(at, &["inspect", &sample, "disks", "none", "--io"]);
    assert_eq!(outcome.code, 9, "{}", outcome.said);
    let about = |image: &str, rest: &str| {
        let says = |line: &str| line.contains(&format!("{image}: {rest}"));
        assert!(outcome.said.lines().any(says), "{image} {rest}: {}", outcome.said);
    };
    about("not found: disks", "filesystem: nothing on these disks is recognised");
    about("disks", "read ");
    about(&sample, "read ");
    about("not found: none", "");
    assert!(!outcome.said.contains("none: none"), "{}", outcome.said);
}

#[test]
fn what_is_no_system_is_said_to_be_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // A swap signature as mkswap writes it.
    let mut swap = vec![0; 1 << 20];
    swap[1024] = 1;
    swap[1028..1032].copy_from_slice(&255_u32.to_le_bytes());
    swap[4086..4096].copy_from_slice(b"SWAPSPACE2");
    fs::write(at.join("swap.img"), swap).unwrap();
    let outcome = fathom(at, &["inspect", "swap.img"]);
    assert_eq!(outcome.code, 3);
    assert!(outcome.said.contains("disk0 (swap)"), "{}", outcome.said);
    // `inspect` has no --volume that could be advised; `ls` has.
    let sample = sample();
    let convert = ["disk", "convert", &sample, "p1.img", "--volume", "disk0/p1"];
    assert_eq!(fathom(at, &convert).code, 0);
    let inspected = fathom(at, &["inspect", "p1.img", "--disk", "swap.img"]);
    assert!(inspected.said.contains("none of disk0 (FAT16)"), "{}", inspected.said);
    assert!(!inspected.said.contains("--volume"), "{}", inspected.said);
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    for arguments in [
        ["inspect", &sample, "--format", "csv"].as_slice(),
        &["inspect", &sample, &sample, "--format", "html"],
        &["inspect", &sample, "--json", "--section", "users"],
        &["inspect", &sample, "--format", "spdx", "--timestamp", "yesterday"],
        &["inspect", &sample, "--checksum", "sha256:12"],
        &["diff", "-", "-"],
        &["diff", &sample, &sample, "--disk", &sample],
        &["man", "nonsense"],
    ] {
        let outcome = fathom(folder.path(), arguments);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{arguments:?}");
        assert!(outcome.said.starts_with("fathom: "), "{}", outcome.said);
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn the_same_moment_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    for format in ["cyclonedx", "spdx"] {
        let typed = ["inspect", &sample, "--format", format, "--timestamp", "2026-01-31T12:00:00Z"];
        // What a report says of certificates and ends of life depends on the day.
        let epoch = [("SOURCE_DATE_EPOCH", "1769860800")];
        let one = fathom_with(folder.path(), &typed, &epoch).out;
        assert!(one.contains("2026-01-31T12:00:00Z"));
        let untyped = ["inspect", &sample, "--format", format];
        let other = fathom_with(folder.path(), &untyped, &epoch).out;
        assert!(one == other, "{format}");
    }
}

#[test]
fn tables_are_as_wide_as_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    let all = "identity,kernels,packages,users,services,network,storage,applications,containers,\
               security,concerns,problems";
    for columns in [60, 80, 120] {
        for arguments in [vec!["inspect", &sample], vec!["inspect", &sample, "--section", all]] {
            let environment = [("COLUMNS", &*columns.to_string())];
            let outcome = fathom_with(folder.path(), &arguments, &environment);
            for line in outcome.out.lines() {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
                assert!(!line.contains('\u{1b}'), "{line}");
            }
        }
    }
    let coloured = fathom(folder.path(), &["inspect", &sample, "--color", "always"]).out;
    assert!(coloured.contains("\u{1b}[1m"));
}

#[test]
fn another_checksum_than_was_said_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample();
    let right = "sha256:6f2af55076b2efcfa47c8ae75c509e7826115d1b3c72863c622a6734c63fd9fa";
    let fits = fathom(folder.path(), &["inspect", &sample, "--json", "--checksum", right]);
    let report: serde_json::Value = serde_json::from_str(&fits.out).unwrap();
    assert_eq!(report["disks"][0]["checksum"], right);
    let wrong = right.replace("6f2a", "0000");
    let differs = fathom(folder.path(), &["inspect", &sample, "--json", "--checksum", &wrong]);
    assert_eq!((differs.code, differs.out.as_str()), (7, ""));
    assert!(differs.said.contains("nothing in it was looked at"), "{}", differs.said);
}

#[test]
fn two_machines_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (at, sample) = (folder.path(), sample());
    fathom(at, &["inspect", &sample, "--json", "-o", "now.json"]);
    let now = fs::read_to_string(at.join("now.json")).unwrap();
    // With itself: nothing differs, and what could not be looked at is unknown on both sides.
    let same = fathom(at, &["diff", "now.json", &sample]);
    assert_eq!(same.code, 0, "{}", same.out);
    assert!(same.out.contains("\nnothing differs; "), "{}", same.out);
    assert!(same.out.contains("neither of them knows"), "{}", same.out);
    fs::write(at.join("then.json"), now.replace("3.0.15-1~deb12u1", "3.0.9-1")).unwrap();
    let changed = fathom(at, &["diff", "then.json", "now.json"]);
    assert_eq!(changed.code, 1);
    let line = "package openssl (deb amd64): version 3.0.9-1 → 3.0.15-1~deb12u1 (upgrade)";
    assert!(changed.out.contains(line), "{}", changed.out);
    let document = fathom(at, &["diff", "now.json", "then.json", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(document["schema"], "fathom.diff/v1");
    assert_eq!(document["changes"][0]["direction"], "downgrade");
    // A document of another kind is named, and a list is none.
    fs::write(at.join("other.json"), now.replace("fathom.report/v1", "fathom.report/v9")).unwrap();
    let other = fathom(at, &["diff", "other.json", "now.json"]);
    assert_eq!(other.code, 2);
    assert!(other.said.contains("fathom.report/v9"), "{}", other.said);
    let missing = fathom(at, &["diff", "no.json", "now.json"]);
    assert_eq!(missing.code, 3, "{}", missing.said);
}

#[test]
fn every_command_has_a_manual_page_and_every_shell_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(fathom(at, &["man"]).out.contains(".TH FATHOM 1"));
    assert!(fathom(at, &["man", "disk", "info"]).out.contains("fathom\\-disk\\-info"));
    let page = fathom(at, &["man", "inspect"]).out;
    for wanted in [".TH FATHOM-INSPECT 1", "\"fathom ", ".SH EXAMPLES\n", ".SH \"EXIT STATUS\"\n"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("EXTRA") && page.matches(".ds Aq '").count() == 1, "{page}");
    assert_eq!(fathom(at, &["man", "-o", "pages"]).code, 0);
    let pages = names(&at.join("pages"));
    for page in ["fathom.1", "fathom-inspect.1", "fathom-diff.1", "fathom-disk-convert.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("help")), "{pages:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(fathom(at, &["completions", shell]).out.contains("inspect"), "{shell}");
    }
}
