//! Whether the folders that are written to can be, and have room.

use std::path::{Path, PathBuf};

use fathom_config::{Config, TransportType};
use rustix::fs::{Access, access, statvfs};

use super::Findings;
use crate::text::size;

/// Less room than this is warned about, and less than that is too little.
const SCARCE: u64 = 2 << 30;
const TOO_LITTLE: u64 = 64 << 20;

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let mut folders: Vec<(&str, PathBuf)> = vec![("data_folder", config.data_folder.clone())];
    if let Some(file) = database_file(config.store.url.expose())
        && let Some(folder) = file.parent()
    {
        folders.push(("store.url", folder.to_owned()));
    }
    let reports = &config.store.reports.location;
    if !reports.starts_with("s3://") {
        folders.push(("store.reports.location", reports.into()));
    }
    folders.push(("worker.work_dir", config.worker.work_dir.clone()));
    if let Some(folder) = config.security.audit_log.as_ref().and_then(|file| file.parent()) {
        folders.push(("security.audit_log", folder.to_owned()));
    }
    for place in config.worker.results.iter().filter(|place| place.starts_with('/')) {
        folders.push(("worker.results", place.into()));
    }
    if let (TransportType::Folder, Some(folder)) =
        (config.transport.kind, &config.transport.config.folder)
    {
        folders.push(("transport.config.folder", folder.clone()));
    }
    for (about, folder) in folders {
        look(about, &folder, findings);
    }
}

/// The file of a database in SQLite: `sqlite:///a.db`, `sqlite:a.db?mode=rwc`.
fn database_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let file = rest.split('?').next().unwrap_or(rest);
    (!file.is_empty() && file != ":memory:").then(|| file.into())
}

fn look(about: &str, folder: &Path, findings: &mut Findings) {
    let shown = folder.display();
    // What is not there is made, in the closest folder that is.
    let Some(there) = folder.ancestors().find(|folder| folder.exists()) else {
        return findings.wrong(about, format!("{shown} is nowhere"), "give a path from / on");
    };
    if !there.is_dir() {
        let what = format!("{} is no folder", there.display());
        return findings.wrong(about, what, "name another folder");
    }
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let what = format!("{} cannot be written to by this user", there.display());
        let remedy = format!("make {shown}, and give it to the user that fathom runs as");
        return findings.wrong(about, what, remedy);
    }
    let room = match statvfs(there) {
        Ok(about) => about.f_bavail.saturating_mul(about.f_frsize),
        Err(error) => {
            let what = format!("how much room {} has cannot be told: {error}", there.display());
            return findings.warning(about, what, "");
        }
    };
    let missing = if there == folder { "" } else { ", will be made" };
    let what = format!("{shown}{missing}, {} free", size(room));
    let remedy = "make room, or name a folder on a larger disk";
    match room {
        room if room < TOO_LITTLE => findings.wrong(about, what, remedy),
        room if room < SCARCE => findings.warning(about, what, remedy),
        _ => findings.ok(about, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_database_lies() {
        for (url, file) in [
            ("sqlite:///var/lib/fathom/fathom.db", Some("/var/lib/fathom/fathom.db")),
            ("sqlite:///a.db?mode=rwc", Some("/a.db")),
            ("sqlite:a.db", Some("a.db")),
            ("sqlite::memory:", None),
            ("postgres://h/fathom", None),
        ] {
            assert_eq!(database_file(url).as_deref(), file.map(Path::new), "{url}");
        }
    }
}
