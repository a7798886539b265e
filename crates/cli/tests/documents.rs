//! What the documents show on the sample disks is what the program prints. `FATHOM_BLESS=1` writes it
//! into them instead of comparing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A command as a document shows it, and what it is said to print.
struct Shown {
    line: usize,
    command: String,
    output: String,
}

/// The commands in the blocks of the page that only use the sample disks, block by block.
fn blocks(page: &str) -> Vec<Vec<Shown>> {
    let mut blocks: Vec<Vec<Shown>> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(page.lines()) {
        if text.starts_with("```") {
            inside = text == "```console";
            if inside {
                blocks.push(Vec::new());
            }
        } else if inside {
            let block = blocks.last_mut().unwrap();
            match text.strip_prefix("$ ") {
                Some(command) => {
                    let command = command.to_owned();
                    block.push(Shown { line, command, output: String::new() });
                }
                None => {
                    let shown = block.last_mut().unwrap();
                    shown.output.push_str(text);
                    shown.output.push('\n');
                }
            }
        }
    }
    blocks.retain(|block| {
        block.iter().all(|shown| {
            let command = &shown.command;
            let alone = !command.starts_with("fathom") && !command.starts_with("cargo");
            alone || (command.starts_with("fathom") && command.contains("samples/"))
        })
    });
    blocks
}

/// Checks every block of the page in a folder of its own, and says how many commands that were.
fn check(page: &str) -> usize {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_fathom"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let text = fs::read_to_string(project.join(page)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(project.join("samples"), folder.path().join("samples")).unwrap();
    let mut checked = 0;
    let mut wanted = text.clone();
    let has_jq = Command::new("jq").arg("--version").output().is_ok();
    for shown in blocks(&text).iter().flatten() {
        if shown.command.contains("| jq ") && !has_jq {
            println!("skipped, as there is no jq: {}", shown.command);
            continue;
        }
        let output = Command::new("bash")
            .args(["-c", &format!("exec 2>&1; {}", shown.command)])
            .current_dir(folder.path())
            .env("PATH", &path)
            // What has ended by then has ended whenever this runs.
            .env("SOURCE_DATE_EPOCH", "1795651200")
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        if std::env::var_os("FATHOM_BLESS").is_some() {
            let block = |output: &str| format!("$ {}\n{output}", shown.command);
            wanted = wanted.replacen(&block(&shown.output), &block(&printed), 1);
        } else {
            assert_eq!(printed, shown.output, "{page}:{}: {}", shown.line, shown.command);
        }
        checked += 1;
    }
    if wanted != text {
        fs::write(project.join(page), wanted).unwrap();
    }
    checked
}

#[test]
fn the_readme_shows_what_is_printed() {
    assert!(check("README.md") >= 3);
}

#[test]
fn the_guide_shows_what_is_printed() {
    assert!(check("docs/guide.md") >= 15);
}

#[test]
fn the_tour_of_the_report_shows_what_is_printed() {
    assert!(check("docs/report.md") >= 30);
}

#[test]
fn the_troubleshooting_page_shows_what_is_printed() {
    check("docs/troubleshooting.md");
}
