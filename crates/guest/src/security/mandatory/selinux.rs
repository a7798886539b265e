//! SELinux: the mode that its configuration asks for, unless the kernel is told otherwise.

use fathom_report::{Coverage, Evidence, Fact, Listing, MandatoryAccess, Package, PackageKind};

use crate::files::{Files, Read};
use crate::security::arguments::Arguments;

const HIDES: &str = "the mode of SELinux";

const CONFIG: &str = "/etc/selinux/config";

/// SELinux, if it is set up.
pub(super) fn of(
    files: &Files<'_>,
    packages: &Listing<Package>,
    arguments: Option<&Arguments<'_>>,
) -> Listing<MandatoryAccess> {
    let text = match files.text(CONFIG, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Listing::complete(Vec::new(), vec![CONFIG.into()]),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let policy = value(&text, "SELINUXTYPE");
    let has = |kind| packages.items.iter().any(|package| package.kind == kind);
    let debian = match (has(PackageKind::Deb), has(PackageKind::Rpm)) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        // What it is may stand in what could not be read.
        _ => (packages.coverage == Coverage::Complete).then_some(false),
    };
    let access = MandatoryAccess {
        system: "selinux".to_owned(),
        mode: mode(value(&text, "SELINUX"), debian, arguments),
        policies: policy.map(str::to_owned).into_iter().collect(),
    };
    Listing::complete(vec![access], vec![CONFIG.into()])
}

/// The first line of the name counts.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('=')).map(str::trim)
}

fn mode(
    configured: Option<&str>,
    debian: Option<bool>,
    arguments: Option<&Arguments<'_>>,
) -> Fact<String> {
    let chosen = arguments.and_then(|arguments| arguments.chooses("selinux"));
    let told = |mode: &str| {
        let place = arguments.and_then(|arguments| arguments.place.clone());
        Fact::known(mode.to_owned(), place.unwrap_or_else(|| Evidence::from(CONFIG)))
    };
    if chosen == Some(false) {
        return told("disabled");
    }
    let Some(configured) = configured else {
        return Fact::unknown(format!("{CONFIG} does not say SELINUX="));
    };
    let configured = configured.to_ascii_lowercase();
    let mode = match configured.split_whitespace().next().unwrap_or_default() {
        "disabled" => return Fact::known("disabled".to_owned(), CONFIG),
        mode @ ("enforcing" | "permissive") => mode,
        other => return Fact::unknown(format!("{CONFIG} says SELINUX={other}, which is no mode")),
    };
    match (debian, arguments, chosen) {
        // The kernels of Debian and its kin have another module unless they are told to have this one.
        (Some(true), Some(_), None) => return told("disabled"),
        (Some(true), None, _) => {
            return Fact::unknown("what the kernel is told when it starts is not known");
        }
        (None, _, None) => {
            return Fact::unknown(
                "whether the kernel has it depends on the distribution, whose packages are not known",
            );
        }
        _ => {}
    }
    match arguments.and_then(|arguments| arguments.value("enforcing")) {
        Some("0") => told("permissive"),
        Some("1") => told("enforcing"),
        _ => Fact::known(mode.to_owned(), CONFIG),
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::{Boot, BootEntry};

    use super::*;
    use crate::memory;

    fn boot(arguments: Option<&str>) -> Boot {
        let entry = arguments.map(|arguments| BootEntry {
            loader: "grub".into(),
            title: None,
            version: None,
            image: None,
            initramfs: Vec::new(),
            arguments: Some(arguments.into()),
        });
        Boot {
            kernels: Listing::unknown(""),
            default: entry.map_or(Fact::unknown(""), |entry| Fact::known(entry, "/boot/grub.cfg")),
            firmware: Listing::unknown(""),
            drivers: Listing::unknown(""),
        }
    }

    fn shown(config: &str, told: Option<&str>) -> Option<String> {
        let tree = memory::tree(&[(CONFIG, config.as_bytes())]);
        let boot = boot(told);
        let arguments = Arguments::of(&boot);
        let packages = Listing::complete(Vec::new(), Vec::new());
        let listing = of(&Files::new(&tree), &packages, arguments.as_ref());
        listing.items[0].mode.value().cloned()
    }

    #[test]
    fn the_kernel_s_arguments_count_more_than_the_file() {
        let file =
            "# SELINUX=disabled\nSELINUX=enforcing\nSELINUX=permissive\nSELINUXTYPE=targeted\n";
        for (told, expected) in [
            (None, "enforcing"),
            (Some("ro"), "enforcing"),
            (Some("ro enforcing=0"), "permissive"),
            (Some("selinux=0"), "disabled"),
            (Some("lsm=apparmor"), "disabled"),
        ] {
            assert_eq!(shown(file, told).as_deref(), Some(expected), "{told:?}");
        }
        assert_eq!(shown("SELINUX=disabled\n", Some("enforcing=1")).as_deref(), Some("disabled"));
        assert_eq!(shown("SELINUX=enforced\n", None), None);
        assert_eq!(shown("", None), None);
    }

    #[test]
    fn without_the_packages_the_default_of_the_kernel_is_not_known() {
        let tree = memory::tree(&[(CONFIG, b"SELINUX=enforcing\n")]);
        let files = Files::new(&tree);
        let unread = Listing::unknown("/var is not there");
        let mode = |arguments: Option<&Arguments<'_>>| {
            of(&files, &unread, arguments).items[0].mode.value().cloned()
        };
        assert_eq!(mode(None), None);
        let told = boot(Some("selinux=1 security=selinux"));
        assert_eq!(mode(Arguments::of(&told).as_ref()).as_deref(), Some("enforcing"));
    }
}
