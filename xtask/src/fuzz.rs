//! Fuzzing for a bounded time. The corpus grows in the cache; an input that ever broke a parser is
//! put into `fuzz/found/TARGET` and read again by an ordinary test for ever after.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::mutants::sparse::Sparse;
use crate::mutants::{Target, targets};
use crate::oracle::Work;
use crate::shell::{cache, project, visible};
use crate::tools::{CARGO_FUZZ, cargo_tool};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only targets whose name contains this.
    filter: Option<String>,
    /// How many seconds each.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// How many processes each.
    #[arg(long, default_value_t = 2)]
    jobs: u32,
}

/// The largest input: a sparse image of some hundred sectors.
const MAX_INPUT: usize = 1 << 20;

/// Fuzzes the targets one after the other.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let filter = arguments.filter.as_deref().unwrap_or("");
    let fuzz = cargo_tool(CARGO_FUZZ)?;
    let mut broken = Vec::new();
    for target in targets().iter().filter(|target| target.name.contains(filter)) {
        let corpus = cache()?.join("fuzz").join(target.name);
        fs::create_dir_all(&corpus)?;
        plant(target, &corpus)?;
        println!("== fuzzing {} for {} s", target.name, arguments.seconds);
        // Stable compilers have the coverage instrumentation, but not the sanitizers; there is no
        // unsafe code here for those to watch.
        let script = format!(
            "'{}' run --sanitizer none {} '{}' -- -max_total_time={} -max_len={MAX_INPUT} \
             -rss_limit_mb=1024 -timeout=10 -jobs={jobs} -workers={jobs} -verbosity=0 -print_final_stats=1",
            fuzz.display(),
            target.name,
            corpus.display(),
            arguments.seconds,
            jobs = arguments.jobs,
        );
        if visible(&project().join("fuzz"), &script).is_err() {
            keep(target.name)?;
            broken.push(target.name);
        }
    }
    if broken.is_empty() { Ok(()) } else { bail!("inputs were found that break {broken:?}") }
}

/// Puts the healthy images into the fuzzer's corpus, where they are small enough.
fn plant(target: &Target, corpus: &Path) -> Result<()> {
    let work = Work::new(&format!("fuzz-{}", target.name), false)?;
    for (index, image) in (target.seeds)(&work)?.iter().enumerate() {
        let seed = Sparse::encode(image);
        if seed.len() <= MAX_INPUT {
            fs::write(corpus.join(format!("seed-{index}")), seed)?;
        }
    }
    Ok(())
}

/// Keeps what the fuzzer found, for the test that replays it.
fn keep(target: &str) -> Result<()> {
    let found = project().join("fuzz/found").join(target);
    fs::create_dir_all(&found)?;
    let artifacts = project().join("fuzz/artifacts").join(target);
    for artifact in fs::read_dir(artifacts)? {
        let artifact = artifact?;
        fs::copy(artifact.path(), found.join(artifact.file_name()))?;
    }
    println!("what was found is in {}", found.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::exercise::{
        advisory, certificate_at, container_at, filesystem_at, grub_at, initramfs_at, intake,
        jar_at, metadata_at, network_at, program_at, registry_at, rpm_bdb_at, rpm_header_at,
        rpm_ndb_at, rpm_sqlite_at, security_text_at, version_at, volumes_at, windows_at,
    };
    use fathom_block::ReadAt;
    use std::sync::Arc;

    /// Every input that ever broke a parser, read again.
    #[test]
    fn what_was_ever_found_stays_mended() {
        let found = project().join("fuzz/found");
        let mut replayed = 0;
        for target in fs::read_dir(found).unwrap() {
            let target = target.unwrap().path();
            if !target.is_dir() {
                continue;
            }
            for input in fs::read_dir(&target).unwrap() {
                let bytes = fs::read(input.unwrap().path()).unwrap();
                let image: Arc<dyn ReadAt> = Arc::new(Sparse::decode(&bytes));
                container_at(image.clone());
                volumes_at(image.clone());
                filesystem_at(image.clone());
                rpm_header_at(image.clone());
                rpm_sqlite_at(image.clone());
                rpm_bdb_at(image.clone());
                rpm_ndb_at(image.clone());
                jar_at(image.clone());
                program_at(image.clone());
                metadata_at(image.clone());
                network_at(image.clone());
                initramfs_at(image.clone());
                grub_at(image.clone());
                security_text_at(image.clone());
                certificate_at(image.clone());
                registry_at(image.clone());
                version_at(image.clone());
                advisory::segment_at(image.clone());
                advisory::feed_at(image.clone());
                intake::document_at(image.clone());
                windows_at(image);
                replayed += 1;
            }
        }
        println!("{replayed} inputs replayed");
    }
}
