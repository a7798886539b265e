//! What is installed several times side by side: .NET, Java, instances of SQL Server.

use fathom_report::{Application, ApplicationKind, Fact};

use super::super::registry::{Name, Node, Registry};
use crate::files::Read;

const NDP: &str = r"Microsoft\NET Framework Setup\NDP";
const DOTNET: &str = r"dotnet\Setup\InstalledVersions";
const JAVA: &str = r"JavaSoft";
const SQL: &str = r"Microsoft\Microsoft SQL Server";

/// Versions of one thing that are looked at.
const MAX_VERSIONS: usize = 200;

/// All that are there.
pub(super) fn all(registry: &Registry<'_>) -> Vec<Application> {
    let mut all = Vec::new();
    let software = |path: &str| registry.key(Name::Software, path).there();
    for (path, name) in [(r"v4\Full", "dotnet-framework"), ("v3.5", "dotnet-framework-3.5")] {
        if let Some(key) = software(&format!(r"{NDP}\{path}")) {
            let values = key.values();
            if matches!(values.number("Install"), Read::There(1)) {
                let location = values.text("InstallPath").there();
                all.push(runtime(name, text(&key, "Version"), location, &key));
            }
        }
    }
    dotnet(registry, &mut all);
    for (root, kinds) in [
        (JAVA.to_owned(), ["JDK", "JRE", "Java Development Kit", "Java Runtime Environment"]),
        (
            format!(r"WOW6432Node\{JAVA}"),
            ["JDK", "JRE", "Java Development Kit", "Java Runtime Environment"],
        ),
    ] {
        for kind in kinds {
            let Some(key) = software(&format!(r"{root}\{kind}")) else { continue };
            for version in registry.first(key.children(), MAX_VERSIONS, key.place()) {
                let home = version.values().text("JavaHome").there();
                // `1.8` stands beside `1.8.0_402` and is the same.
                if home.is_none() || version.name().matches('.').count() < 2 {
                    continue;
                }
                let known = Fact::known(version.name().to_owned(), version.place());
                all.push(runtime("java", known, home, &version));
            }
        }
    }
    all
}

/// .NET since it is no longer part of Windows: versions are names of values.
fn dotnet(registry: &Registry<'_>, all: &mut Vec<Application>) {
    for root in [DOTNET.to_owned(), format!(r"WOW6432Node\{DOTNET}")] {
        let Read::There(versions) = registry.key(Name::Software, &root) else { continue };
        for hardware in registry.first(versions.children(), MAX_VERSIONS, versions.place()) {
            let location = hardware.values().text("InstallLocation").there();
            for (part, name) in [
                (r"sharedfx\Microsoft.NETCore.App", "dotnet"),
                (r"sharedfx\Microsoft.AspNetCore.App", "aspnetcore"),
                ("sdk", "dotnet-sdk"),
            ] {
                let Read::There(key) = hardware.child(part) else { continue };
                let values = key.values();
                for version in registry.first(values.names(), MAX_VERSIONS, key.place()) {
                    let known = Fact::known(version.to_owned(), key.place());
                    all.push(runtime(name, known, location.clone(), &key));
                }
            }
        }
    }
}

fn text(key: &Node<'_>, name: &str) -> Fact<String> {
    let values = key.values();
    values.text(name).fact(&values.place(name), Some)
}

fn runtime(
    name: &str,
    version: Fact<String>,
    location: Option<String>,
    key: &Node<'_>,
) -> Application {
    Application {
        kind: ApplicationKind::Runtime,
        name: name.to_owned(),
        version,
        // Nothing starts it: programs do.
        started: Fact::absent([key.place()]),
        packages: Vec::new(),
        location,
        evidence: vec![key.place().into()],
    }
}

/// What the set-up of an instance of SQL Server says: its version, and where it lies.
pub(super) fn sql_server(
    registry: &Registry<'_>,
    service: &str,
) -> Option<(Fact<String>, Option<String>)> {
    let instance = match service.split_once('$') {
        Some((_, instance)) => instance,
        None => service,
    };
    let names = registry.key(Name::Software, &format!(r"{SQL}\Instance Names\SQL")).there()?;
    let id = names.values().text(instance).there()?;
    let setup = registry.key(Name::Software, &format!(r"{SQL}\{id}\Setup")).there()?;
    let version = match text(&setup, "PatchLevel") {
        known @ Fact::Known { .. } => known,
        _ => text(&setup, "Version"),
    };
    Some((version, setup.values().text("SQLPath").there()))
}

/// The version of IIS.
pub(super) fn iis(registry: &Registry<'_>) -> Option<Fact<String>> {
    let key = registry.key(Name::Software, r"Microsoft\InetStp").there()?;
    let values = key.values();
    let major = values.number("MajorVersion").there()?;
    let minor = values.number("MinorVersion").there()?;
    Some(Fact::known(format!("{major}.{minor}"), key.place()))
}
