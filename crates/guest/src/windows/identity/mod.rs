//! What Windows says it is.

mod language;
mod product;

use fathom_report::{Architecture, Fact, Family, FirstBoot, Identity};

use super::moment;
use super::pe::Image;
use super::registry::{Name, Registry, Said};
use crate::files::Read;

/// What the report loses if the registry cannot be read.
pub(super) const HIDES: &str = "identity";

const CURRENT_VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
const KERNEL: &str = "/Windows/System32/ntoskrnl.exe";

/// What the registry says of the system. `kernel` is the program that it starts as.
pub(super) fn of(registry: &Registry<'_>, kernel: &Read<Image>) -> Identity {
    let said = registry.said(Name::Software, CURRENT_VERSION);
    let build = said.text(&["CurrentBuild", "CurrentBuildNumber"]);
    let name = product::name(said.text(&["ProductName"]), &build);
    let installation = said.text(&["InstallationType"]).value().cloned();
    let architecture = architecture(registry, kernel);
    let version = version(&said, &build, kernel);
    let revision = said.number("UBR");
    let cpe = product::cpe(&name, &build, &revision, &architecture);
    Identity {
        family: Family::Windows,
        distribution: Fact::known("windows".to_owned(), "/Windows/System32"),
        like: Vec::new(),
        name,
        version,
        codename: said.text(&["DisplayVersion", "ReleaseId", "CSDVersion"]),
        edition: said.text(&["EditionID"]),
        installation,
        build: with_revision(build, revision),
        hostname: hostname(registry),
        machine_id: machine_id(registry),
        time_zone: time_zone(registry),
        locale: language::of(registry),
        installed: installed(&said),
        first_boot: first_boot(registry),
        end_of_life: Fact::unknown("no data on it"),
        cpe,
        architecture,
    }
}

/// `10.0.20348`: the numbers of the release, and the build.
fn version(said: &Said<'_>, build: &Fact<String>, kernel: &Read<Image>) -> Fact<String> {
    let major = said.number("CurrentMajorVersionNumber");
    let minor = said.number("CurrentMinorVersionNumber");
    let release = match (major, minor) {
        (Fact::Known { value: major, evidence }, Fact::Known { value: minor, .. }) => {
            Fact::Known { value: format!("{major}.{minor}"), evidence }
        }
        // Before Windows 10 the text is the truth; since then it stays at 6.3.
        _ => said.text(&["CurrentVersion"]),
    };
    match (release, build) {
        (Fact::Known { value, mut evidence }, Fact::Known { value: build, evidence: of_build }) => {
            evidence.extend(of_build.iter().cloned());
            Fact::Known { value: format!("{value}.{build}"), evidence }
        }
        (release, build) => match kernel {
            // The kernel knows it too.
            Read::There(Image { version: Some([major, minor, build, _]), .. }) => {
                Fact::known(format!("{major}.{minor}.{build}"), KERNEL)
            }
            _ => match (release, build) {
                (Fact::Known { .. }, Fact::Unknown { reason }) => Fact::unknown(reason.clone()),
                (Fact::Known { .. }, _) => Fact::unknown("the build is not told"),
                (release, _) => release,
            },
        },
    }
}

fn with_revision(build: Fact<String>, revision: Fact<u32>) -> Fact<String> {
    match (build, revision) {
        (Fact::Known { value, mut evidence }, Fact::Known { value: revision, evidence: of }) => {
            evidence.extend(of);
            Fact::Known { value: format!("{value}.{revision}"), evidence }
        }
        (Fact::Known { .. }, Fact::Unknown { reason }) => Fact::unknown(reason),
        // Before Windows 10 there is none.
        (build, _) => build,
    }
}

fn architecture(registry: &Registry<'_>, kernel: &Read<Image>) -> Fact<Architecture> {
    const ENVIRONMENT: &str = r"Control\Session Manager\Environment";
    let said = registry.said_of_control_set(ENVIRONMENT).text(&["PROCESSOR_ARCHITECTURE"]);
    let known = match &said {
        Fact::Known { value, evidence } => match value.to_ascii_uppercase().as_str() {
            "AMD64" => Some("x86_64"),
            "X86" => Some("i686"),
            "ARM64" => Some("aarch64"),
            "ARM" => Some("arm"),
            "IA64" => Some("ia64"),
            _ => None,
        }
        .map(|name| (name, evidence.clone())),
        _ => None,
    };
    match (known, kernel) {
        (Some((name, evidence)), _) => {
            Fact::Known { value: Architecture(name.to_owned()), evidence }
        }
        (None, Read::There(Image { machine: Some(machine), .. })) => {
            Fact::known(Architecture((*machine).to_owned()), KERNEL)
        }
        (None, Read::Unread(why)) => Fact::unknown(why.clone()),
        (None, _) => match said {
            Fact::Known { value, .. } => Fact::unknown(format!("{value:?} is no known processor")),
            Fact::Absent { evidence } => Fact::Absent { evidence },
            Fact::Unknown { reason } => Fact::Unknown { reason },
        },
    }
}

/// The machine's name. What the key of the network says is what holds from the next start on.
fn hostname(registry: &Registry<'_>) -> Fact<String> {
    const TCPIP: &str = r"Services\Tcpip\Parameters";
    const COMPUTER: &str = r"Control\ComputerName\ComputerName";
    match registry.said_of_control_set(TCPIP).text(&["NV Hostname", "Hostname"]) {
        Fact::Absent { mut evidence } => {
            match registry.said_of_control_set(COMPUTER).text(&["ComputerName"]) {
                Fact::Absent { evidence: more } => {
                    evidence.extend(more);
                    Fact::Absent { evidence }
                }
                fact => fact,
            }
        }
        fact => fact,
    }
}

fn machine_id(registry: &Registry<'_>) -> Fact<String> {
    const CRYPTOGRAPHY: &str = r"Microsoft\Cryptography";
    registry.said(Name::Software, CRYPTOGRAPHY).text(&["MachineGuid"])
}

fn time_zone(registry: &Registry<'_>) -> Fact<String> {
    const ZONE: &str = r"Control\TimeZoneInformation";
    registry.said_of_control_set(ZONE).text(&["TimeZoneKeyName", "StandardName"])
}

fn installed(said: &Said<'_>) -> Fact<String> {
    let precise = said.first(&["InstallTime"], |values, name| match values.wide(name) {
        Read::There(steps) => moment::filetime(steps).map_or(Read::Absent, Read::There),
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    });
    if let Fact::Known { .. } = precise {
        return precise;
    }
    said.first(&["InstallDate"], |values, name| match values.number(name) {
        Read::There(seconds) => moment::unix(seconds).map_or(Read::Absent, Read::There),
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    })
}

/// Whether setup has come to its end. `sysprep` sets it back.
fn first_boot(registry: &Registry<'_>) -> Fact<FirstBoot> {
    const STATE: &str = r"Microsoft\Windows\CurrentVersion\Setup\State";
    let said = registry.said(Name::System, "Setup");
    for name in ["SystemSetupInProgress", "OOBEInProgress"] {
        match said.number(name) {
            Fact::Known { value: 0, .. } | Fact::Absent { .. } => {}
            Fact::Known { evidence, .. } => {
                return Fact::Known { value: FirstBoot::Pending, evidence };
            }
            Fact::Unknown { reason } => return Fact::Unknown { reason },
        }
    }
    let state = registry.said(Name::Software, STATE).text(&["ImageState"]);
    match state {
        // Before Vista there was no such state.
        Fact::Absent { .. } => said.number("SystemSetupInProgress").map(|_| FirstBoot::Done),
        Fact::Known { value, .. } if !value.starts_with("IMAGE_STATE_") => {
            Fact::unknown(format!("the state {value:?} of setup is not known"))
        }
        fact => fact.map(|state| match state.as_str() {
            "IMAGE_STATE_COMPLETE" => FirstBoot::Done,
            _ => FirstBoot::Pending,
        }),
    }
}
