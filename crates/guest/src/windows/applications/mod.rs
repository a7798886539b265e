//! What Windows is there for: recognised by services and programs, and by what set-ups leave in the
//! registry.

mod runtimes;
mod table;

use fathom_report::{
    Application, Coverage, Enabled, Fact, Listing, Package, PackageKind, Service, ServiceKind,
};

use super::paths;
use super::pe;
use super::registry::Registry;
use super::users::profiles::system_drive;
use crate::files::Read;

use self::table::{KNOWN, Known};

/// What the report loses if something cannot be read.
pub(super) const HIDES: &str = "applications";

/// Everything that is recognised among what is installed and started.
pub(super) fn all(
    registry: &Registry<'_>,
    packages: &Listing<Package>,
    services: &Listing<Service>,
) -> Listing<Application> {
    let drive = system_drive(registry);
    let own: Vec<&Service> = services
        .items
        .iter()
        .filter(|service| service.kind == ServiceKind::WindowsService)
        .collect();
    let mut all: Vec<Application> = Vec::new();
    for known in KNOWN {
        all.extend(application(registry, known, packages, &own, drive));
    }
    all.extend(runtimes::all(registry));
    let mut listing = Listing::complete(all, Vec::new());
    for (coverage, reason) in
        [(packages.coverage, &packages.reason), (services.coverage, &services.reason)]
    {
        match (coverage, reason) {
            (Coverage::Complete, _) => {}
            (_, Some(reason)) => listing.hide(reason.clone()),
            (_, None) => listing.hide("not everything that is installed is known"),
        }
    }
    if listing.items.is_empty() && listing.reason.is_none() {
        listing.reason = Some("nothing that is known was recognised".to_owned());
    }
    listing
}

fn is_named(patterns: &[&str], name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == *pattern,
    })
}

/// The application, once for each service of it that is an instance of its own.
fn application(
    registry: &Registry<'_>,
    known: &Known,
    packages: &Listing<Package>,
    services: &[&Service],
    drive: Option<char>,
) -> Vec<Application> {
    let programs: Vec<&Package> = packages
        .items
        .iter()
        .filter(|package| package.kind == PackageKind::Program)
        .filter(|package| {
            let name = package.name.to_ascii_lowercase();
            known.programs.iter().any(|beginning| name.starts_with(beginning))
        })
        .collect();
    let own: Vec<&&Service> =
        services.iter().filter(|service| is_named(known.services, &service.name)).collect();
    // The agents of Windows itself are always there, and are its applications only where they run.
    if own.is_empty() && programs.is_empty() {
        return Vec::new();
    }
    let of = |service: Option<&Service>| {
        let program = programs.first();
        let (version, location) = version(registry, known, service, program.copied(), drive);
        let mut evidence: Vec<_> = service.iter().flat_map(|it| it.evidence.clone()).collect();
        evidence.extend(programs.iter().map(|program| program.evidence.clone()));
        Application {
            kind: known.kind,
            name: known.name.to_owned(),
            version,
            started: started(service),
            packages: programs.iter().map(|program| program.name.clone()).collect(),
            location,
            evidence,
        }
    };
    match own.as_slice() {
        [] => vec![of(None)],
        // Every instance of SQL Server has a version of its own.
        several if known.name == "sql-server" => several.iter().map(|it| of(Some(it))).collect(),
        [first, ..] => vec![of(Some(first))],
    }
}

fn started(service: Option<&Service>) -> Fact<bool> {
    match service {
        Some(service) => service.enabled.clone().map(|enabled| enabled == Enabled::Enabled),
        None => Fact::unknown("no service of it is known"),
    }
}

/// The version, by what its set-up says, by the program's own entry, or by the file that is run.
fn version(
    registry: &Registry<'_>,
    known: &Known,
    service: Option<&Service>,
    program: Option<&Package>,
    drive: Option<char>,
) -> (Fact<String>, Option<String>) {
    let by_setup = match known.name {
        "sql-server" => service.and_then(|it| runtimes::sql_server(registry, &it.name)),
        "iis" => runtimes::iis(registry).map(|version| (version, None)),
        _ => None,
    };
    if let Some(said) = by_setup {
        return said;
    }
    let location = program.and_then(|program| program.location.clone());
    if let Some(program) = program.filter(|program| !program.version.is_empty()) {
        let Package { version, evidence, .. } = program;
        return (Fact::known(version.clone(), evidence.clone()), location);
    }
    let Some(command) = service.and_then(|service| service.commands.last()) else {
        return (Fact::unknown("neither its set-up nor its program says it"), location);
    };
    let command = paths::program(command);
    let Some(path) = paths::on_system_drive(command, drive) else {
        return (Fact::unknown(format!("{command} is not on the system's disk")), location);
    };
    let version = match pe::image(registry.files, &path, HIDES) {
        Read::There(image) => match image.version() {
            Some(version) => Fact::known(version, path.as_str()),
            None => Fact::absent([path.as_str()]),
        },
        Read::Absent => Fact::unknown(format!("there is no {path}")),
        Read::Unread(why) => Fact::unknown(why),
    };
    (version, location.or_else(|| path.rsplit_once('/').map(|(folder, _)| folder.to_owned())))
}
