//! Lists the rules that are built in: every `rules/PROFILE/ID.toml`, so that a new file is a new rule.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let rules = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("rules");
    let mut list = String::from("&[\n");
    for profile in sorted(&rules)? {
        println!("cargo::rerun-if-changed={}", profile.display());
        for file in sorted(&profile)? {
            let _ = writeln!(
                list,
                "({:?}, {:?}, include_str!({:?})),",
                profile.file_name().unwrap_or_default().to_string_lossy(),
                file.file_stem().unwrap_or_default().to_string_lossy(),
                file,
            );
        }
    }
    list.push(']');
    println!("cargo::rerun-if-changed={}", rules.display());
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    fs::write(out.join("rules.rs"), list)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}
