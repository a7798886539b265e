//! `fathom db update`, `import`, `export` and `keygen`: databases from and for others.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use fathom_advisory::Day;
use fathom_mirror::{Manifest, PublicKey, SecretKey, Store, Trust};

use super::{folder, not_installed};
use crate::args::{Export, Import, Keygen, Trusted, Update};
use crate::clock;
use crate::exit::{Failure, Verdict, say};
use crate::machine;
use crate::output::Out;
use crate::progress::Progress;

/// How many seconds a day has.
const DAY: u64 = 86_400;

fn today() -> Result<Day, Failure> {
    Ok(Day::of(&clock::rfc3339(clock::now()?)))
}

fn trust(options: &Trusted) -> Result<Trust, Failure> {
    let Some(key) = &options.trust else { return Ok(Trust::Anybody) };
    let text = match Path::new(key).is_file() {
        true => fs::read_to_string(key).map_err(Failure::reading(key.clone()))?,
        false => key.clone(),
    };
    let key = PublicKey::parse(&text);
    key.map(Trust::Key).map_err(|error| Failure::Usage(format!("--trust: {error}")))
}

pub(super) fn update(options: &Update) -> Result<Verdict, Failure> {
    let trust = trust(&options.trusted)?;
    let store = Store::open(&folder(&options.database)?).map_err(not_installed)?;
    let open = machine::addresses(&options.http)?;
    let mut progress = None;
    let mut there = 0;
    let updated = fathom_mirror::update(
        &store,
        &options.mirror,
        &open,
        &trust,
        today()?,
        &mut |bytes, all| {
            let progress = progress.get_or_insert_with(|| Progress::new("database", Some(all)));
            progress.add(bytes.saturating_sub(there));
            there = bytes;
        },
    );
    drop(progress);
    let updated = updated.map_err(not_installed)?;
    let what = match (updated.is_new, updated.fetched) {
        (false, _) => "is up to date".to_owned(),
        (true, fetched) => format!("is installed, {} fetched", crate::text::size(fetched)),
    };
    tell(&updated.manifest, &what)
}

pub(super) fn import(options: &Import) -> Result<Verdict, Failure> {
    let trust = trust(&options.trusted)?;
    let store = Store::open(&folder(&options.database)?).map_err(not_installed)?;
    let manifest = fathom_mirror::import(&store, &options.bundle, &trust, today()?);
    tell(&manifest.map_err(not_installed)?, "is installed")
}

pub(super) fn export(options: &Export) -> Result<Verdict, Failure> {
    let key = match &options.sign {
        None => None,
        Some(path) => {
            let shown = path.display().to_string();
            let text = fs::read_to_string(path).map_err(Failure::reading(shown.clone()))?;
            let failed = |error| Failure::Usage(format!("{shown}: {error}"));
            Some(SecretKey::parse(&text).map_err(failed)?)
        }
    };
    let store = Store::open(&folder(&options.database)?).map_err(not_installed)?;
    let now = clock::now()?;
    let serial = clock::seconds(now);
    let expires = match options.expires {
        0 => Day::default(),
        days => {
            let then = now + std::time::Duration::from_secs(u64::from(days) * DAY);
            Day::of(&clock::rfc3339(then))
        }
    };
    let manifest = store.manifest(serial, &clock::rfc3339(now), expires).map_err(not_installed)?;
    match options.target.is_dir() {
        true => fathom_mirror::publish(&store, &options.target, key.as_ref(), &manifest),
        false => fathom_mirror::export(&store, &options.target, key.as_ref(), &manifest),
    }
    .map_err(not_installed)?;
    if key.is_none() {
        say("warning: it is not signed: who installs it must say --unsigned");
    }
    tell(&manifest, "is written")
}

pub(super) fn keygen(options: &Keygen) -> Result<Verdict, Failure> {
    let key = SecretKey::generate().map_err(not_installed)?;
    let shown = options.file.display().to_string();
    let file = fs::File::options().write(true).create_new(true).mode(0o600).open(&options.file);
    let mut file = file.map_err(Failure::host(shown.clone()))?;
    file.write_all(key.to_text().as_bytes()).map_err(Failure::host(shown))?;
    let mut out = Out::new();
    out.line(key.public().to_string())?;
    out.finish()?;
    Ok(Verdict::Done)
}

fn tell(manifest: &Manifest, what: &str) -> Result<Verdict, Failure> {
    let mut out = Out::new();
    let size: u64 = manifest.files.iter().map(|file| file.size).sum();
    let expires = match manifest.expires.as_str() {
        "" => String::new(),
        day => format!(", to be installed until {day}"),
    };
    out.line(format!(
        "database of {} {what}: {} files, {}{expires}",
        manifest.created,
        manifest.files.len(),
        crate::text::size(size),
    ))?;
    out.finish()?;
    Ok(Verdict::Done)
}
