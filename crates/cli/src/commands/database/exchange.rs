//! `fathom db update`, `import`, `export` and `keygen`: databases from and for others.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use fathom_advisory::Day;
use fathom_mirror::{Manifest, Mirror, PublicKey, SecretKey, Site, Store, Trust, discard};

use super::{folder, no_database, not_installed};
use crate::args::{Export, Import, InDatabase, Keygen, Trusted, Update};
use crate::clock;
use crate::commands::inspect::place::Sheet;
use crate::exit::{Failure, Verdict, say};
use crate::interrupt::{self, Leftovers};
use crate::machine;
use crate::output::Out;
use crate::progress::Progress;
use crate::text::harmless;

/// How many seconds a day has.
const DAY: u64 = 86_400;

fn today() -> Result<Day, Failure> {
    Ok(Day::of(&clock::rfc3339(clock::now()?)))
}

fn trust(options: &Trusted) -> Result<Trust, Failure> {
    let Some(key) = &options.trust else { return Ok(Trust::Anybody) };
    let is_file = Path::new(key).is_file();
    let text = match is_file {
        true => fs::read_to_string(key).map_err(Failure::reading(key.clone()))?,
        false => key.clone(),
    };
    PublicKey::parse(&text).map(Trust::Key).map_err(|error| {
        let name = harmless(key);
        Failure::Usage(match is_file {
            true => format!("--trust {name}: {error}"),
            // A secret one that was given by mistake is not shown.
            false if key.contains(':') => format!("--trust: {error}"),
            false => format!("--trust {name}: there is no such file, nor is that a public key"),
        })
    })
}

/// The folder of the database for whoever changes it; what is half done when that is interrupted is
/// removed.
fn store(options: &InDatabase) -> Result<(Store, Leftovers), Failure> {
    let folder = folder(options)?;
    let store = Store::open(&folder).map_err(not_installed)?;
    Ok((store, Leftovers::of(move || discard(&folder))))
}

/// The mirror that was named.
fn mirror(options: &Update) -> Result<Box<dyn Mirror>, Failure> {
    let named = &options.mirror;
    let scheme = named.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let expected = "a mirror is an address (http://, https://) or a folder of this machine";
    match scheme.as_deref() {
        Some("http" | "https") => Ok(Box::new(Site::new(named, &machine::http(&options.http)?))),
        Some(scheme) if scheme.bytes().all(|it| it.is_ascii_alphanumeric()) => {
            Err(Failure::Usage(format!("{scheme}:// is not read; {expected}")))
        }
        _ if Path::new(named).is_dir() => Ok(Box::new(fathom_mirror::Folder(named.into()))),
        _ => Err(Failure::Usage(format!("--mirror {named}: there is no such folder; {expected}"))),
    }
}

pub(super) fn update(options: &Update) -> Result<Verdict, Failure> {
    let trust = trust(&options.trusted)?;
    let mirror = mirror(options)?;
    let (store, _leftovers) = store(&options.database)?;
    let mut progress = None;
    let mut there = 0;
    let updated = fathom_mirror::update(&store, &*mirror, &trust, today()?, &mut |bytes, all| {
        let progress = progress.get_or_insert_with(|| Progress::new("database", Some(all)));
        progress.add(bytes.saturating_sub(there));
        there = bytes;
    });
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
    let (store, _leftovers) = store(&options.database)?;
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
    let folder = folder(&options.database)?;
    if !folder.is_dir() {
        return Err(no_database(folder.display().to_string()));
    }
    let sheet = match options.target.is_dir() {
        true => None,
        false => Some(Sheet::begin(&options.target, options.force)?),
    };
    let store = Store::open(&folder).map_err(not_installed)?;
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
    match sheet {
        None => fathom_mirror::publish(&store, &options.target, key.as_ref(), &manifest)
            .map_err(not_installed)?,
        Some(sheet) => {
            let mut out = Watched(sheet);
            let written = fathom_mirror::export(&store, &mut out, key.as_ref(), &manifest);
            interrupt::check()?;
            written.map_err(not_installed)?;
            out.0.finish()?;
        }
    }
    if key.is_none() {
        say("warning: it is not signed: who installs it must say --unsigned");
    }
    tell(&manifest, "is written")
}

/// What is written, as long as nobody interrupts.
struct Watched(Sheet);

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        interrupt::check().map_err(|_| io::Error::other("interrupted"))?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

pub(super) fn keygen(options: &Keygen) -> Result<Verdict, Failure> {
    let key = SecretKey::generate().map_err(not_installed)?;
    let shown = options.file.display().to_string();
    let made = fs::File::options().write(true).create_new(true).mode(0o600).open(&options.file);
    let mut file = made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::Usage(format!("{shown} exists, and no key is overwritten; name another file"))
        }
        _ => Failure::Host(shown.clone(), error),
    })?;
    let written = file.write_all(key.to_text().as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key is none, and would be in the way of the next.
        let _ = fs::remove_file(&options.file);
        Failure::Host(shown, error)
    })?;
    let mut out = Out::new();
    out.line(key.public().to_string())?;
    out.finish()?;
    Ok(Verdict::Done)
}

fn tell(manifest: &Manifest, what: &str) -> Result<Verdict, Failure> {
    let mut out = Out::new();
    let expires = match manifest.expires.as_str() {
        "" => String::new(),
        day => format!(", to be installed until {}", harmless(day)),
    };
    out.line(format!(
        "database of {} {what}: {} files, {}{expires}",
        harmless(&manifest.created),
        manifest.files.len(),
        crate::text::size(manifest.size()),
    ))?;
    out.finish()?;
    Ok(Verdict::Done)
}
