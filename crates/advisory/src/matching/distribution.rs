//! Which ecosystems hold for a system.

use fathom_report::Identity;

use super::repository::is_on_top;

/// How close to a system whoever speaks of an ecosystem is. What the closer one says counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// The distribution itself.
    Own,
    /// The distribution itself, to those who pay for longer care.
    Paid,
    /// The distribution itself, in releases that come after the one that a system stays with.
    Beyond,
    /// The distribution that it is rebuilt from.
    Upstream,
    /// The distribution itself, of a later release, where nobody looks into this one any more.
    Successor,
}

/// A distribution and its version, as far as advisories go by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Distribution {
    id: String,
    version: String,
}

impl Distribution {
    /// The distribution of a system; nothing where that is not known.
    pub(crate) fn of(identity: &Identity) -> Option<Self> {
        let id = identity.distribution.value()?.to_lowercase();
        let version = identity.version.value().cloned().unwrap_or_default();
        Some(Self { id, version })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The version up to its first dot.
    fn major(&self) -> &str {
        self.version.split('.').next().unwrap_or_default()
    }

    /// The version up to its second dot.
    pub(crate) fn minor(&self) -> String {
        self.version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".")
    }

    /// Whether packages are those of Red Hat, or rebuilt from them.
    pub(crate) fn is_of_red_hat(&self) -> bool {
        matches!(self.id.as_str(), "rhel" | "centos") || self.is_rebuilt()
    }

    /// Whether the system is Red Hat's own.
    pub(crate) fn is_red_hat(&self) -> bool {
        self.id == "rhel"
    }

    /// Whether this is the system's minor release, or its major one.
    pub(crate) fn is_version(&self, version: &str) -> bool {
        version == self.minor() || version == self.major()
    }

    fn is_rebuilt(&self) -> bool {
        matches!(self.id.as_str(), "almalinux" | "rocky" | "ol")
    }

    /// Whether it is a release of the first Amazon Linux, all of which have one repository, that of the
    /// last.
    fn is_first_of_amazon(&self) -> bool {
        let year = self.major().parse::<u16>();
        self.id == "amzn" && year.is_ok_and(|year| (2010..=2018).contains(&year))
    }

    /// How the ecosystem of this name holds for the distribution.
    pub(crate) fn role(&self, namespace: &str) -> Option<Role> {
        let (name, rest) = namespace.split_once(':').unwrap_or((namespace, ""));
        // Of which version nothing is known, nothing holds but what has none.
        if self.version.is_empty() && !rest.is_empty() {
            return None;
        }
        let is = |wanted: &str, role: Role| (rest == wanted).then_some(role);
        match (self.id.as_str(), name) {
            ("debian", "Debian") => is(self.major(), Role::Own),
            ("ubuntu", "Ubuntu") => self.of_ubuntu(rest),
            ("alpine", "Alpine") => match rest.strip_prefix('v') {
                Some(version) => (version == self.minor()).then_some(Role::Own),
                // A version like 3.21_alpha20240923 is that of edge.
                None => (rest == "edge" && self.version.contains('_')).then_some(Role::Own),
            },
            ("wolfi", "Wolfi") | ("chainguard", "Chainguard" | "Wolfi") => Some(Role::Own),
            ("almalinux", "AlmaLinux")
            | ("rocky", "Rocky Linux")
            | ("ol", "Oracle Linux")
            | ("photon", "Photon OS")
            | ("amzn", "Amazon Linux")
            | ("opensuse-tumbleweed", "openSUSE") => {
                let is_own = rest == self.major()
                    || rest == self.version
                    || rest == "Tumbleweed" && self.id == "opensuse-tumbleweed"
                    || rest == "2018.03" && self.is_first_of_amazon();
                is_own.then_some(Role::Own)
            }
            ("arch", "Arch Linux") => Some(Role::Own),
            ("rhel" | "centos", "Red Hat") if rest.starts_with(EXTENDED) => {
                let major = rest.strip_prefix(EXTENDED)?.split(':').next()?;
                (major == self.major()).then_some(Role::Paid)
            }
            (_, "Red Hat") if self.is_of_red_hat() && !is_on_top(rest) => {
                let role = if self.is_rebuilt() { Role::Upstream } else { Role::Own };
                // `enterprise_linux:8::appstream`, `enterprise_linux:8`.
                let version = rest.strip_prefix("enterprise_linux:")?.split(':').next()?;
                let major = version.split('.').next()?;
                (major == self.major()).then_some(role)
            }
            ("sles" | "sled" | "sles_sap", "SUSE") => self.of_suse(rest),
            ("opensuse-leap", "openSUSE") => {
                let release = rest.strip_suffix(" NonFree").unwrap_or(rest);
                (release == format!("Leap {}", self.version)).then_some(Role::Own)
            }
            _ => None,
        }
    }

    /// The later release that the ecosystem of this name is of, where its packages are those of this
    /// one, only newer, and their versions are ordered as if they were of one release.
    pub(crate) fn later(&self, namespace: &str) -> Option<Release> {
        let (name, rest) = namespace.split_once(':')?;
        let (own, theirs) = match (self.id.as_str(), name) {
            ("debian", "Debian") => (self.major(), rest),
            ("alpine", "Alpine") => (self.version.as_str(), rest.strip_prefix('v')?),
            _ => return None,
        };
        let (own, theirs) = (release(own)?, release(theirs)?);
        (theirs > own).then_some(theirs)
    }

    /// `22.04:LTS`, `23.10`, `Pro:18.04:LTS`, `Pro:FIPS-updates:20.04:LTS`,
    /// `Pro:22.04:LTS:Realtime:Kernel`.
    fn of_ubuntu(&self, rest: &str) -> Option<Role> {
        let pockets = ["Pro", "LTS", "FIPS", "FIPS-updates", "FIPS-preview", "Realtime", "Kernel"];
        let mut parts = rest.split(':').filter(|part| !pockets.contains(part));
        let is_of = parts.next() == Some(&self.minor()) && parts.next().is_none();
        let is_paid = rest.split(':').any(|part| part == "Pro");
        is_of.then_some(if is_paid { Role::Paid } else { Role::Own })
    }

    /// `Linux Enterprise Server 15 SP4`, `Linux Enterprise Module for Basesystem 15 SP4`,
    /// `Linux Enterprise Server 15 SP4-LTSS`, `Linux Enterprise Server LTSS Extended Security 12 SP5`.
    ///
    /// Modules of 12, and those of 11 that stand behind its number, are of no service pack, and hold for
    /// each. SAP's edition is cared for longer than the server that it shares its packages with: what is
    /// said of it alone mends the same flaws of that server, for who pays.
    fn of_suse(&self, rest: &str) -> Option<Role> {
        let product = rest.strip_prefix("Linux Enterprise ")?;
        let (major, pack) = self.version.split_once('.').unwrap_or((&self.version, "0"));
        let (name, after) = product.split_once(&format!(" {major}"))?;
        let (its_pack, edition) = match after.strip_prefix(" SP") {
            Some(rest) => {
                let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
                rest.split_at(end)
            }
            None => ("0", after),
        };
        // What stands behind may be another number: `12` is not 1.
        if !edition.is_empty() && !edition.starts_with([' ', '-']) {
            return None;
        }
        let edition = edition.trim_start_matches([' ', '-']);
        let is_module = match major {
            "12" => name.starts_with("Module for ") && its_pack == "0",
            "11" => matches!(edition, "SECURITY" | "PUBCLOUD"),
            _ => false,
        };
        let is_for_all = is_module || edition.is_empty() || edition == "CLIENT-TOOLS";
        let is_of_others = name.contains("SAP Applications") && self.id != "sles_sap";
        let is_paid = !is_for_all || name.contains("LTSS") || is_of_others;
        let role = if is_paid { Role::Paid } else { Role::Own };
        (is_module || its_pack == pack).then_some(role)
    }
}

/// How the product is called that mends the last minor release of a Red Hat for those who pay, once
/// nobody else gets mends.
const EXTENDED: &str = "rhel_els:";

/// The number of a release.
pub(crate) type Release = (u32, u32);

fn release(version: &str) -> Option<Release> {
    let mut numbers = version.split('.').map(str::parse);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next().transpose().ok()?;
    Some((major, minor.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, version: &str, namespace: &str, expected: Option<Role>) {
        let distribution = Distribution { id: id.to_owned(), version: version.to_owned() };
        assert_eq!(distribution.role(namespace), expected, "{id} {version}: {namespace}");
    }

    #[test]
    fn a_distribution_has_its_ecosystems() {
        check("debian", "12", "Debian:12", Some(Role::Own));
        check("debian", "12", "Debian:1", None);
        check("debian", "12.5", "Debian:12", Some(Role::Own));
        check("ubuntu", "22.04", "Ubuntu:22.04:LTS", Some(Role::Own));
        check("ubuntu", "22.04", "Ubuntu:Pro:22.04:LTS", Some(Role::Paid));
        check("ubuntu", "22.04", "Ubuntu:22.10", None);
        check("ubuntu", "20.04", "Ubuntu:Pro:FIPS-updates:20.04:LTS", Some(Role::Paid));
        check("ubuntu", "22.04", "Ubuntu:Pro:22.04:LTS:Realtime:Kernel", Some(Role::Paid));
        check("ubuntu", "22.04", "Ubuntu:Pro:Other:22.04:LTS", None);
        check("ubuntu", "22.04", "Ubuntu", None);
        check("alpine", "3.18.4", "Alpine:v3.18", Some(Role::Own));
        check("alpine", "3.18.4", "Alpine:v3.1", None);
        check("alpine", "3.21_alpha20240923", "Alpine:edge", Some(Role::Own));
        check("almalinux", "8.9", "AlmaLinux:8", Some(Role::Own));
        check("almalinux", "8.9", "Red Hat:enterprise_linux:8::appstream", Some(Role::Upstream));
        check("rhel", "8.9", "Red Hat:enterprise_linux:8", Some(Role::Own));
        check("rhel", "8.9", "Red Hat:rhel_eus:8.8::baseos", None);
        check("rhel", "9.5", "Red Hat:enterprise_linux:9::fastdatapath", None);
        check("rocky", "9.5", "Red Hat:enterprise_linux:9::fastdatapath", None);
        check("rhel", "10.1", "Red Hat:enterprise_linux:10.0", Some(Role::Own));
        check("rhel", "7.9", "Red Hat:rhel_els:7", Some(Role::Paid));
        check("centos", "6.10", "Red Hat:rhel_els:6", Some(Role::Paid));
        check("centos", "7.9", "Red Hat:rhel_els:6", None);
        check("ol", "7.9", "Red Hat:rhel_els:7", None);
        check("sles", "15.4", "SUSE:Linux Enterprise Server 15 SP4", Some(Role::Own));
        check("sles", "15.4", "SUSE:Linux Enterprise Server 15 SP4-LTSS", Some(Role::Paid));
        check(
            "sles",
            "15.4",
            "SUSE:Linux Enterprise Module for Basesystem 15 SP4",
            Some(Role::Own),
        );
        check("sles", "15", "SUSE:Linux Enterprise Server 15 SP4", None);
        check("sles", "15", "SUSE:Linux Enterprise Server 15", Some(Role::Own));
        check("opensuse-leap", "15.4", "openSUSE:Leap 15.4", Some(Role::Own));
        check("opensuse-leap", "15.5", "openSUSE:Leap 15.5 NonFree", Some(Role::Own));
        check("opensuse-leap", "15.4", "openSUSE:Leap 15.5 NonFree", None);
        check("amzn", "2", "Amazon Linux:2", Some(Role::Own));
        check("amzn", "2", "Amazon Linux:2023", None);
        check("amzn", "2023", "Amazon Linux:2023", Some(Role::Own));
        check("amzn", "2023", "Amazon Linux:2018.03", None);
        check("amzn", "2018.03", "Amazon Linux:2018.03", Some(Role::Own));
        check("amzn", "2017.09", "Amazon Linux:2018.03", Some(Role::Own));
        check("ol", "8.9", "Oracle Linux:8", Some(Role::Own));
        check("photon", "4.0", "Photon OS:4.0", Some(Role::Own));
        check("photon", "4.0", "Photon OS:5.0", None);
        check("arch", "", "Arch Linux", Some(Role::Own));
    }

    #[test]
    fn modules_of_suse_hold_for_each_service_pack() {
        let of = |id: &str, version: &str, product: &str, expected: Option<Role>| {
            check(id, version, &format!("SUSE:Linux Enterprise {product}"), expected);
        };
        let own = Some(Role::Own);
        for module in ["Web and Scripting", "Containers", "Legacy", "Public Cloud", "Toolchain"] {
            let module = format!("Module for {module} 12");
            of("sles", "12.5", &module, own);
            of("sles", "12", &module, own);
            of("sles_sap", "12.3", &module, own);
            of("sles", "15.1", &module, None);
        }
        of("sles", "15.1", "Module for Legacy 15", None);
        of("sles", "15.4", "Module for Python 3 15 SP4", own);
        of("sles", "12.5", "Server 12", None);
        of("sles", "12.5", "Server 12-LTSS", None);
        of("sles", "12.5", "Micro 5.1", None);
        of("sles", "11.4", "Server 11-SECURITY", own);
        of("sles", "11.4", "Server 11 SP4-CLIENT-TOOLS", own);
        of("sles", "11.4", "Server 11 SP3-CLIENT-TOOLS", None);
    }

    #[test]
    fn longer_care_of_suse_is_for_those_who_pay() {
        let of = |id: &str, version: &str, product: &str, expected: Option<Role>| {
            check(id, version, &format!("SUSE:Linux Enterprise {product}"), expected);
        };
        let (own, paid) = (Some(Role::Own), Some(Role::Paid));
        of("sles", "15.1", "Server for SAP Applications 15 SP1", paid);
        of("sles_sap", "15.1", "Server for SAP Applications 15 SP1", own);
        of("sles_sap", "15.1", "Server 15 SP1-LTSS", paid);
        of("sles_sap", "15.1", "Server for SAP Applications 15 SP2", None);
        of("sles", "12.5", "Server LTSS Extended Security 12 SP5", paid);
        of("sles", "12.4", "Server LTSS Extended Security 12 SP5", None);
        of("sles", "11.4", "Server 11 SP4 LTSS EXTREME CORE", paid);
        of("sles", "12.2", "Server 12 SP2-BCL", paid);
        of("sles", "12.4", "Server 12 SP4-ESPOS", paid);
        of("sles", "15", "High Performance Computing 15-ESPOS", paid);
        of("sles", "12.5", "Server 12 SP5", own);
    }

    #[test]
    fn a_release_has_later_ones() {
        for (id, version, namespace, expected) in [
            ("debian", "8", "Debian:11", Some((11, 0))),
            ("debian", "8.11", "Debian:11", Some((11, 0))),
            ("debian", "12.5", "Debian:12", None),
            ("debian", "12.5", "Debian:11", None),
            ("alpine", "3.12.1", "Alpine:v3.9", None),
            ("alpine", "3.12.1", "Alpine:v3.12", None),
            ("alpine", "3.9.1", "Alpine:v3.12", Some((3, 12))),
            ("alpine", "3.9.1", "Alpine:edge", None),
            ("ubuntu", "18.04", "Ubuntu:20.04:LTS", None),
        ] {
            let distribution = Distribution { id: id.to_owned(), version: version.to_owned() };
            assert_eq!(distribution.later(namespace), expected, "{id} {version}: {namespace}");
        }
    }
}
