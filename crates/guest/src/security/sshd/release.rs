//! Which sshd is installed, and what holds in it unless something is set.

use fathom_report::{Listing, Package, PackageKind};

/// A release, and who built it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// The two numbers of the release: 9 and 2.
    pub(super) number: (u32, u32),
    /// As the package says it.
    pub(super) version: String,
    builder: Builder,
}

/// Who built it: some change what holds by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Builder {
    Debian,
    RedHat,
    Suse,
    Other,
}

/// The names of the packages that hold sshd.
const PACKAGES: [&str; 3] = ["openssh-server", "openssh", "openssh-server-pam"];

impl Release {
    /// That of the package.
    pub(super) fn of(packages: &Listing<Package>) -> Option<Self> {
        let package = PACKAGES.iter().find_map(|name| {
            packages.items.iter().find(|package| package.name == *name && is_system(package))
        })?;
        let version = package.version.as_str();
        let mut numbers = version.split(|character: char| !character.is_ascii_digit());
        let number = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        let vendor = package.vendor.as_deref().unwrap_or_default().to_ascii_lowercase();
        let builder = match package.kind {
            PackageKind::Deb => Builder::Debian,
            PackageKind::Rpm if vendor.contains("suse") => Builder::Suse,
            PackageKind::Rpm => Builder::RedHat,
            _ => Builder::Other,
        };
        Some(Self { number, version: package.full_version(), builder })
    }

    /// Whether [`super::algorithms::offer`] tells what it offers.
    pub(super) fn is_compared(&self) -> bool {
        self.builder == Builder::Debian && self.number == (9, 2)
    }

    /// Whether interactive questions had a second keyword of their own.
    pub(super) fn has_challenge(&self) -> bool {
        self.number < (8, 7)
    }

    /// Whether it knows the keyword. What Red Hat adds to old releases is not told by their number.
    pub(super) fn has(&self, keyword: &str) -> bool {
        self.builder == Builder::RedHat || self.number >= since(keyword)
    }

    /// Whether a subsystem may be set twice, of which the first counts, and under a condition.
    pub(super) fn has_many_subsystems(&self) -> bool {
        self.number >= (9, 5)
    }

    /// What it does with the keyword by default: nothing if that is not known, or if it has no such
    /// keyword.
    pub(super) fn default(&self, keyword: &str) -> Option<&'static str> {
        let suse = self.builder == Builder::Suse;
        match keyword {
            // SUSE, and Red Hat in its old releases, allow more than the program does by itself.
            "permitrootlogin"
                if suse || self.number < (8, 0) && self.builder == Builder::RedHat =>
            {
                None
            }
            "usepam" | "x11forwarding" if suse => None,
            "usepam" if self.builder == Builder::Other => None,
            // Where its own files lie is decided when it is built.
            "pidfile" if self.builder != Builder::Debian => None,
            "xauthlocation" if self.builder == Builder::Other => None,
            "ipqos" if self.number >= (10, 1) => None,
            "ipqos" if self.builder == Builder::Debian && self.number >= (10, 0) => Some("ef cs1"),
            "ipqos" if self.builder == Builder::Debian || self.number < (7, 8) => {
                Some("lowdelay throughput")
            }
            "gssapikexalgorithms" if !self.is_compared() => None,
            name if name.starts_with("kerberos") || name.starts_with("gssapi") => {
                let built = matches!(self.builder, Builder::Debian | Builder::RedHat);
                built.then(|| plain(name)).flatten()
            }
            // Penalties are more than one number, and their defaults moved between releases.
            "persourcepenalties" => None,
            _ if self.number < OLDEST.max(since(keyword)) => None,
            _ => plain(keyword),
        }
    }
}

/// Packages of languages may have the same names.
fn is_system(package: &Package) -> bool {
    matches!(
        package.kind,
        PackageKind::Deb
            | PackageKind::Rpm
            | PackageKind::Apk
            | PackageKind::Pacman
            | PackageKind::Portage
    )
}

/// Of what is older than this the defaults are not told.
const OLDEST: (u32, u32) = (7, 4);

/// The release that brought a keyword; those that are older than any release in use have none.
fn since(keyword: &str) -> (u32, u32) {
    match keyword {
        "disableforwarding" => (7, 4),
        "exposeauthinfo" => (7, 6),
        "rdomain" => (7, 7),
        "permitlisten" | "setenv" => (7, 8),
        "casignaturealgorithms" => (7, 9),
        "pubkeyauthoptions" | "securitykeyprovider" => (8, 2),
        "logverbose" | "modulifile" | "persourcemaxstartups" | "persourcenetblocksize" => (8, 5),
        "requiredrsasize" => (9, 1),
        "channeltimeout" | "unusedconnectiontimeout" => (9, 2),
        "persourcepenalties" | "persourcepenaltyexemptlist" | "sshdsessionpath" => (9, 8),
        "refuseconnection" => (9, 9),
        "sshdauthpath" => (10, 0),
        _ => (0, 0),
    }
}

/// What holds in every release that has the keyword.
fn plain(keyword: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(name, _)| *name == keyword).map(|(_, value)| *value)
}

/// Those that have several lines, or that depend on others, are not among them.
pub(super) const DEFAULTS: &[(&str, &str)] = &[
    ("addressfamily", "any"),
    ("allowagentforwarding", "yes"),
    ("allowstreamlocalforwarding", "yes"),
    ("allowtcpforwarding", "yes"),
    ("authenticationmethods", "any"),
    ("authorizedkeyscommand", "none"),
    ("authorizedkeyscommanduser", "none"),
    ("authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"),
    ("authorizedprincipalscommand", "none"),
    ("authorizedprincipalscommanduser", "none"),
    ("authorizedprincipalsfile", "none"),
    ("banner", "none"),
    ("chrootdirectory", "none"),
    ("clientalivecountmax", "3"),
    ("clientaliveinterval", "0"),
    ("compression", "yes"),
    ("disableforwarding", "no"),
    ("exposeauthinfo", "no"),
    ("fingerprinthash", "SHA256"),
    ("forcecommand", "none"),
    ("gatewayports", "no"),
    ("gssapiauthentication", "no"),
    ("gssapicleanupcredentials", "yes"),
    ("gssapikexalgorithms", GSSAPI),
    ("gssapikeyexchange", "no"),
    ("gssapistorecredentialsonrekey", "no"),
    ("gssapistrictacceptorcheck", "yes"),
    ("hostbasedauthentication", "no"),
    ("hostbasedusesnamefrompacketonly", "no"),
    ("hostkeyagent", "none"),
    ("ignorerhosts", "yes"),
    ("ignoreuserknownhosts", "no"),
    ("ipqos", "af21 cs1"),
    ("kbdinteractiveauthentication", "yes"),
    ("kerberosauthentication", "no"),
    ("kerberosorlocalpasswd", "yes"),
    ("kerberosticketcleanup", "yes"),
    ("logingracetime", "120"),
    ("loglevel", "INFO"),
    ("maxauthtries", "6"),
    ("maxsessions", "10"),
    ("maxstartups", "10:30:100"),
    ("modulifile", "/etc/ssh/moduli"),
    ("passwordauthentication", "yes"),
    ("permitemptypasswords", "no"),
    ("permitlisten", "any"),
    ("permitopen", "any"),
    ("permitrootlogin", "without-password"),
    ("permittty", "yes"),
    ("permittunnel", "no"),
    ("permituserenvironment", "no"),
    ("permituserrc", "yes"),
    ("persourcemaxstartups", "none"),
    ("persourcenetblocksize", "32:128"),
    ("pidfile", "/run/sshd.pid"),
    ("printlastlog", "yes"),
    ("printmotd", "yes"),
    ("pubkeyauthentication", "yes"),
    ("pubkeyauthoptions", "none"),
    ("rekeylimit", "0 0"),
    ("requiredrsasize", "1024"),
    ("revokedkeys", "none"),
    ("securitykeyprovider", "internal"),
    ("streamlocalbindmask", "0177"),
    ("streamlocalbindunlink", "no"),
    ("strictmodes", "yes"),
    ("syslogfacility", "AUTH"),
    ("tcpkeepalive", "yes"),
    ("trustedusercakeys", "none"),
    ("unusedconnectiontimeout", "none"),
    ("usedns", "no"),
    ("usepam", "no"),
    ("versionaddendum", "none"),
    ("x11displayoffset", "10"),
    ("x11forwarding", "no"),
    ("x11uselocalhost", "yes"),
    ("xauthlocation", "/usr/bin/xauth"),
];

const GSSAPI: &str = "gss-group14-sha256-,gss-group16-sha512-,gss-nistp256-sha256-,\
gss-curve25519-sha256-,gss-group14-sha1-,gss-gex-sha1-";

/// The host keys that are used where none is named.
pub(super) const HOST_KEYS: [&str; 3] =
    ["/etc/ssh/ssh_host_rsa_key", "/etc/ssh/ssh_host_ecdsa_key", "/etc/ssh/ssh_host_ed25519_key"];
