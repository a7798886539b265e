//! Damaged and odd images that others collected. Each is read in a process of its own, with little
//! memory and little time: no panic, no abort, no time-out, and a reason for whatever was not read.

mod one;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

pub(crate) use one::{OneArguments, one};

use crate::oracle::Work;
use crate::shell;

/// What one image may use.
const SECONDS: u32 = 10;
const ADDRESS_SPACE: u64 = 512 << 20;

/// Which images to read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A directory of images, or a tar of one; `.zst` files are unpacked one at a time.
    directory: PathBuf,
    /// Only images whose path contains this.
    filter: Option<String>,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Print what was found in every image.
    #[arg(long)]
    verbose: bool,
}

/// Reads all images and prints a summary.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let work = Work::new("corpus", false)?;
    let directory = if arguments.directory.is_file() {
        shell::visible(
            work.directory(),
            &format!("tar -xf '{}'", fs::canonicalize(&arguments.directory)?.display()),
        )?;
        work.directory().to_owned()
    } else {
        fs::canonicalize(&arguments.directory)
            .with_context(|| format!("corpus {}", arguments.directory.display()))?
    };
    let mut images = Vec::new();
    collect(&directory, &mut images)?;
    images.sort();
    let filter = arguments.filter.as_deref().unwrap_or("");
    images.retain(|path| path.to_string_lossy().contains(filter));
    if images.is_empty() {
        bail!("there is no image in {}", directory.display());
    }
    let next = AtomicUsize::new(0);
    let bad = Mutex::new(Vec::new());
    let kinds: Mutex<BTreeMap<String, usize>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some(image) = images.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let name =
                        image.strip_prefix(&directory).unwrap_or(image).display().to_string();
                    match read(image, &work) {
                        Ok(said) => {
                            if arguments.verbose {
                                println!("{name}: {said}");
                            }
                            let kind = said.split(':').next().unwrap_or("").to_owned();
                            *kinds
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .entry(kind)
                                .or_default() += 1;
                        }
                        Err(error) => {
                            println!("WRONG {name}: {error:#}");
                            bad.lock().unwrap_or_else(PoisonError::into_inner).push(name);
                        }
                    }
                }
            });
        }
    });
    for (kind, count) in kinds.into_inner().unwrap_or_else(PoisonError::into_inner) {
        println!("{count:>5}  {kind}");
    }
    let bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("corpus: {} passed, {} failed", images.len() - bad.len(), bad.len());
    if bad.is_empty() { Ok(()) } else { bail!("{} images", bad.len()) }
}

fn collect(directory: &Path, images: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), images)?;
        } else {
            images.push(entry.path());
        }
    }
    Ok(())
}

/// Reads one image in a process of its own and returns its summary.
fn read(image: &Path, work: &Work) -> Result<String> {
    let unpacked;
    let path = if image.extension().is_some_and(|ending| ending == "zst") {
        let name = image.file_stem().context("name")?.to_string_lossy().into_owned();
        unpacked = Unpacked(work.path(&format!("{:?}-{name}", std::thread::current().id())));
        shell::bash(work.directory(), &unpacking(image, &unpacked.0))?;
        unpacked.0.as_path()
    } else {
        image
    };
    let output = Command::new("timeout")
        .args([&SECONDS.to_string(), "prlimit", &format!("--as={ADDRESS_SPACE}"), "--"])
        .arg(std::env::current_exe()?)
        .arg("corpus-one")
        .arg(path)
        .env("RUST_BACKTRACE", "0")
        .output()?;
    if output.status.code() == Some(124) {
        bail!("took longer than {SECONDS} s");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{}: {}", output.status, said.lines().take(3).collect::<Vec<_>>().join(" / "));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How to unpack an image. A dump of the metadata of a Btrfs is turned into an image by its own tool.
fn unpacking(image: &Path, out: &Path) -> String {
    let (image, out) = (image.display(), out.display());
    format!(
        "zstd -q -d --sparse -f '{image}' -o '{out}'\n\
         if [ \"$(head -c 8 '{out}' | od -An -tx1 | tr -d ' \\n')\" = 8b669572e2255cbd ]; then\n\
         mv '{out}' '{out}.dump'\n\
         timeout 60 btrfs-image -r '{out}.dump' '{out}' || mv -f '{out}.dump' '{out}'\n\
         rm -f '{out}.dump'\nfi"
    )
}

/// An unpacked image, removed when it has been read.
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
