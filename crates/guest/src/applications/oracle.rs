//! Oracle's database, which no package brings: a list of databases, and one of what its installer put
//! where.

use fathom_report::Fact;

use super::HIDES;
use super::found::Found;
use super::known::Known;
use super::version::after;
use crate::files::{Files, Read};
use crate::shell::assignments;

/// The list of databases: of Linux, and of Solaris.
const ORATAB: [&str; 2] = ["/etc/oratab", "/var/opt/oracle/oratab"];

/// Where the installer's list is.
const ORAINST: &str = "/etc/oraInst.loc";

/// What the version of the database is behind, in the list of the parts of one installation.
const VERSION: &str = "NAME=\"oracle.server\" VER=\"";

/// How many are read of either list.
const MAX_HOMES: usize = 64;

/// Adds the databases.
pub(super) fn homes(files: &Files<'_>, known: &'static Known, found: &mut Vec<Found>) {
    let mut homes: Vec<String> = Vec::new();
    for path in ORATAB {
        let Read::There(text) = files.text(path, HIDES) else { continue };
        for (_, home, start) in text.lines().filter_map(database).take(MAX_HOMES) {
            let mut it = Found::new(known, version(files, home));
            it.rests_on(path);
            it.location = Some(home.to_owned());
            it.started = Some(match start {
                "N" | "n" => Fact::unknown(format!("{path} does not let dbstart start it")),
                _ => {
                    Fact::unknown(format!("dbstart starts it by {path}, if something runs dbstart"))
                }
            });
            homes.push(home.to_owned());
            found.push(it);
        }
    }
    let Read::There(text) = files.text(ORAINST, HIDES) else { return };
    let Some(inventory) = assignments(&text).remove("inventory_loc") else { return };
    let path = format!("{inventory}/ContentsXML/inventory.xml");
    let Read::There(text) = files.text(&path, HIDES) else { return };
    for home in text.lines().filter_map(installed).take(MAX_HOMES) {
        // Of clients and other products there is no such version.
        let version = version(files, home);
        if version.value().is_some() && !homes.iter().any(|it| it == home) {
            let mut it = Found::new(known, version);
            it.rests_on(path.as_str());
            it.location = Some(home.to_owned());
            it.started = Some(Fact::unknown("it is not in oratab"));
            found.push(it);
        }
    }
}

/// The name, the folder and whether it may be started, of a line of the list of databases. What begins
/// with a plus is the storage below databases.
fn database(line: &str) -> Option<(&str, &str, &str)> {
    let mut fields = line.trim().split(':');
    let (name, home) = (fields.next()?, fields.next()?);
    let is_database = !name.is_empty() && !name.starts_with(['#', '*', '+', '-']);
    let start = fields.next().unwrap_or("").trim();
    (is_database && home.starts_with('/')).then(|| (name, home.trim_end_matches('/'), start))
}

/// The folder of a line of the installer's list, unless it was removed.
fn installed(line: &str) -> Option<&str> {
    let line = line.trim();
    let is_there = line.starts_with("<HOME ") && !line.contains("REMOVED=\"T\"");
    let place = is_there.then(|| line.split_once(" LOC=\"")).flatten()?.1;
    place.split('"').next().filter(|place| place.starts_with('/'))
}

fn version(files: &Files<'_>, home: &str) -> Fact<String> {
    let path = format!("{home}/inventory/ContentsXML/comps.xml");
    match after(files, &path, VERSION) {
        Read::There(Some(version)) => Fact::known(version, path),
        Read::There(None) => Fact::unknown(format!("{path} does not have the database")),
        Read::Absent => Fact::unknown(format!("{path}, which would state its version, is missing")),
        Read::Unread(why) => Fact::unknown(why),
    }
}
