//! What a release of Windows is called, by its makers and by databases of vulnerabilities.

use fathom_report::{Architecture, Fact};

/// The first build of Windows 11, which calls itself 10 in the registry.
const FIRST_OF_11: u32 = 22000;

/// Builds of Windows 10 and 11 for clients, as the CPE dictionary calls them.
const CLIENTS: &[(u32, &str)] = &[
    (10240, "windows_10_1507"),
    (10586, "windows_10_1511"),
    (14393, "windows_10_1607"),
    (15063, "windows_10_1703"),
    (16299, "windows_10_1709"),
    (17134, "windows_10_1803"),
    (17763, "windows_10_1809"),
    (18362, "windows_10_1903"),
    (18363, "windows_10_1909"),
    (19041, "windows_10_2004"),
    (19042, "windows_10_20h2"),
    (19043, "windows_10_21h1"),
    (19044, "windows_10_21h2"),
    (19045, "windows_10_22h2"),
    (22000, "windows_11_21h2"),
    (22621, "windows_11_22h2"),
    (22631, "windows_11_23h2"),
    (26100, "windows_11_24h2"),
];

/// Builds of Windows Server.
const SERVERS: &[(u32, &str)] = &[
    (14393, "windows_server_2016"),
    (17763, "windows_server_2019"),
    (20348, "windows_server_2022"),
    (26100, "windows_server_2025"),
];

fn number(build: &Fact<String>) -> Option<u32> {
    build.value()?.parse().ok()
}

/// The name as people know it.
pub(super) fn name(name: Fact<String>, build: &Fact<String>) -> Fact<String> {
    let is_11 = number(build).is_some_and(|build| build >= FIRST_OF_11);
    match (name, build) {
        (Fact::Known { value, mut evidence }, Fact::Known { evidence: of_build, .. })
            if is_11 && value.starts_with("Windows 10") =>
        {
            evidence.extend(of_build.iter().cloned());
            Fact::Known { value: value.replacen("Windows 10", "Windows 11", 1), evidence }
        }
        (name, _) => name,
    }
}

/// The name in databases of vulnerabilities, where the build leaves no doubt.
pub(super) fn cpe(
    name: &Fact<String>,
    build: &Fact<String>,
    revision: &Fact<u32>,
    architecture: &Fact<Architecture>,
) -> Fact<String> {
    let (Fact::Known { value: name, .. }, Fact::Known { evidence, .. }) = (name, build) else {
        return Fact::unknown("the name and the build are not both known");
    };
    let table = if name.contains("Server") { SERVERS } else { CLIENTS };
    let product = number(build)
        .and_then(|build| Some((build, table.iter().find(|(number, _)| *number == build)?.1)));
    let Some((build, product)) = product else {
        return Fact::unknown("no name is known for this build");
    };
    let hardware = match architecture.value().map(|it| it.0.as_str()) {
        Some("x86_64") => "x64",
        Some("i686") => "x86",
        Some("aarch64") => "arm64",
        _ => "*",
    };
    let version = match revision {
        Fact::Known { value, .. } => format!("10.0.{build}.{value}"),
        _ => format!("10.0.{build}"),
    };
    let cpe = format!("cpe:2.3:o:microsoft:{product}:{version}:*:*:*:*:*:{hardware}:*");
    Fact::Known { value: cpe, evidence: evidence.clone() }
}
