//! Clusters of PostgreSQL: folders of data, several of one version or of several.

use fathom_report::{Enabled, Fact, Listing, Service};

use super::HIDES;
use super::found::Found;
use super::known::Known;
use super::pattern::is_of;
use super::places::Places;
use crate::files::{Files, Read};

/// Where they are: of Debian, and of all others.
const DATA: [&str; 5] = [
    "/var/lib/postgresql/#/*:PG_VERSION",
    "/var/lib/pgsql/#/*:PG_VERSION",
    "/var/lib/pgsql/data:PG_VERSION",
    "/var/lib/postgres/data:PG_VERSION",
    "/usr/local/pgsql/data:PG_VERSION",
];

/// The configuration of Debian's, which may name another folder.
const CONFIGURATION: &str = "/etc/postgresql/#/*:postgresql.conf";

/// A folder of data.
struct Cluster {
    path: String,
    version: Fact<String>,
    /// Where Debian says whether it is started.
    start: Option<String>,
}

/// Adds the clusters: each takes what its version was installed by.
pub(super) fn clusters(
    places: &mut Places<'_, '_>,
    known: &'static Known,
    services: &Listing<Service>,
    found: &mut Vec<Found>,
) {
    let mut with_clusters = Vec::new();
    let mut used = Vec::new();
    for cluster in all(places) {
        let programs = found.iter().position(|it| fits(it, &cluster.version));
        let mut it = match programs.and_then(|at| found.get(at)) {
            Some(it) => it.clone(),
            // The programs may lie anywhere; the data says for which they are.
            None => Found::new(known, cluster.version),
        };
        used.extend(programs);
        it.rests_on(format!("{}/PG_VERSION", cluster.path));
        it.location = Some(cluster.path);
        it.started = cluster.start.and_then(|path| of_debian(places.files, services, &path));
        with_clusters.push(it);
    }
    let mut at = 0;
    found.retain(|_| {
        at += 1;
        !used.contains(&(at - 1))
    });
    found.extend(with_clusters);
}

fn fits(it: &Found, data: &Fact<String>) -> bool {
    match (data.value(), &it.series, it.version.value()) {
        (Some(data), Some(series), _) => is_of(data, series) || is_of(series, data),
        (Some(data), None, Some(version)) => is_of(version.trim_start_matches("1:"), data),
        // Data of no known version may be of any.
        _ => false,
    }
}

fn all(places: &mut Places<'_, '_>) -> Vec<Cluster> {
    let files = places.files;
    let mut clusters: Vec<Cluster> = Vec::new();
    for pattern in DATA {
        for place in places.of(pattern) {
            let version = version(files, &place.file);
            clusters.push(Cluster { path: place.home, version, start: None });
        }
    }
    for place in places.of(CONFIGURATION) {
        let Some(name) = place.home.strip_prefix("/etc/postgresql/") else { continue };
        let usual = format!("/var/lib/postgresql/{name}");
        let Read::There(text) = files.text(&place.file, HIDES) else { continue };
        let path = data_directory(&text).unwrap_or(usual);
        let start = Some(format!("{}/start.conf", place.home));
        match clusters.iter_mut().find(|cluster| cluster.path == path) {
            Some(cluster) => cluster.start = start,
            None => {
                let file = format!("{path}/PG_VERSION");
                if files.exists(&file, HIDES) {
                    clusters.push(Cluster { version: version(files, &file), path, start });
                }
            }
        }
    }
    clusters
}

/// What the file in the folder of data says.
fn version(files: &Files<'_>, path: &str) -> Fact<String> {
    let text = files.text(path, HIDES).map(|text| text.trim().to_owned());
    match text {
        Read::There(text) if is_number(&text) => Fact::known(text, path),
        Read::There(_) => Fact::unknown(format!("{path} does not state a version")),
        Read::Absent => Fact::unknown(format!("{path} is missing")),
        Read::Unread(why) => Fact::unknown(why),
    }
}

fn is_number(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The folder that the configuration names.
fn data_directory(text: &str) -> Option<String> {
    let value = text.lines().rev().find_map(|line| {
        let (name, rest) = line.trim().split_once(['=', ' '])?;
        (name.trim() == "data_directory").then(|| rest.trim_start_matches(['=', ' ', '\t']))
    })?;
    let path = value.strip_prefix('\'')?.split('\'').next()?;
    path.starts_with('/').then(|| path.trim_end_matches('/').to_owned())
}

/// What Debian's file says of the start of one cluster: one that is not to be started with the rest
/// could be started by a unit of its own. Nothing where it goes with the rest.
fn of_debian(files: &Files<'_>, services: &Listing<Service>, path: &str) -> Option<Fact<bool>> {
    let text = match files.text(path, HIDES) {
        Read::There(text) => text,
        Read::Absent => return None,
        Read::Unread(why) => return Some(Fact::unknown(why)),
    };
    let word = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    match word? {
        "manual" | "disabled" => {
            let template = services.items.iter().find(|it| it.name == "postgresql@.service");
            let of_instances = template.and_then(|it| it.enabled.value());
            Some(match of_instances {
                Some(Enabled::Enabled | Enabled::Indirect) => {
                    Fact::unknown("an instance of postgresql@.service is enabled")
                }
                _ => Fact::known(false, path),
            })
        }
        _ => None,
    }
}
