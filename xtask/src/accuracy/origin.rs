//! What packages were built from: judgements do not say it.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use anyhow::Result;
use fathom_advisory::Database;

/// The sources of packages.
pub(super) struct Origins {
    debian: HashMap<String, String>,
    red_hat: HashMap<String, String>,
    alpine: HashSet<String>,
}

/// Packages that have moved to another source since, or have gone.
const MOVED: &[(&str, &str)] = &[
    ("ntpdate", "ntp"),
    ("e2fslibs", "e2fsprogs"),
    ("libcomerr2", "e2fsprogs"),
    ("libcryptsetup4", "cryptsetup"),
    ("libffi6", "libffi"),
    ("libidn11", "libidn"),
];

/// Packages of other releases than the one whose index is at hand, by the beginnings of their names.
const OLDER: &[(&str, &str)] = &[
    ("libssl1.0.2", "openssl1.0"),
    ("libssl", "openssl"),
    ("libcurl", "curl"),
    ("multiarch-support", "glibc"),
    ("libpcre3", "pcre3"),
    ("libpcre2-", "pcre2"),
    ("libtinfo5", "ncurses"),
    ("libncurses", "ncurses"),
    ("libgnutls-deb0", "gnutls28"),
    ("libgnutls", "gnutls28"),
    ("libicu", "icu"),
    ("libsepol1", "libsepol"),
    ("libldap-2.4", "openldap"),
    ("libudev", "systemd"),
    ("libpng12", "libpng"),
    ("libroken18", "heimdal"),
    ("libhcrypto4", "heimdal"),
    ("libasn1-8", "heimdal"),
    ("libgssapi3", "heimdal"),
    ("libheimbase1", "heimdal"),
    ("libheimntlm0", "heimdal"),
    ("libhx509", "heimdal"),
    ("libkrb5-26-heimdal", "heimdal"),
    ("libwind0", "heimdal"),
    ("ntpdate", "ntp"),
    ("busybox-", "busybox"),
    ("openjdk-11-", "openjdk-lts"),
    ("openjdk-8-", "openjdk-8"),
    ("perl-modules", "perl"),
    ("libperl", "perl"),
    ("bsdutils", "util-linux"),
    ("libhogweed", "nettle"),
    ("libnettle", "nettle"),
    ("libprocps", "procps"),
    ("libdns", "bind9"),
    ("libisc", "bind9"),
    ("libapt-", "apt"),
    ("libdb5.3", "db5.3"),
    ("libgcrypt", "libgcrypt20"),
    ("libtasn1-", "libtasn1-6"),
    ("libwebp", "libwebp"),
    ("libtiff", "tiff"),
    ("libjpeg", "libjpeg-turbo"),
    ("libmysqlclient", "mysql"),
    ("libfreetype", "freetype"),
    ("libmagickcore", "imagemagick"),
    ("libmagickwand", "imagemagick"),
    ("imagemagick-", "imagemagick"),
    ("libsqlite3", "sqlite3"),
    ("libexpat1", "expat"),
    ("libxml2-", "libxml2"),
    ("libseccomp", "libseccomp"),
    ("libaprutil", "apr-util"),
    ("libavahi", "avahi"),
    ("libgd3", "libgd2"),
    ("libpixman", "pixman"),
    ("libpolkit", "policykit-1"),
    ("libsystemd", "systemd"),
    ("libnss-systemd", "systemd"),
    ("libpam-systemd", "systemd"),
    ("libvirt", "libvirt"),
    ("passwd", "shadow"),
    ("login", "shadow"),
];

/// Packages that are named by what they were built from, up to a further dash.
const PREFIXED: &[&str] = &["python2.", "python3.", "gcc-"];

/// What a name of a package of Python or of compilers says of its source.
fn prefixed(package: &str) -> Option<String> {
    let name = package.strip_prefix("lib").unwrap_or(package);
    let prefix = PREFIXED.iter().find(|prefix| name.starts_with(**prefix))?;
    let rest = name.strip_prefix(prefix)?;
    let end = rest.find(['-', 't']).unwrap_or(rest.len());
    Some(format!("{prefix}{}", &rest[..end]))
}

/// Packages of Alpine, by what they were built from.
const ALPINE: &[(&str, &str)] = &[
    ("libcrypto1.0", "openssl"),
    ("libssl1.0", "openssl"),
    ("libcrypto1.1", "openssl"),
    ("libssl1.1", "openssl"),
    ("libcrypto3", "openssl"),
    ("libssl3", "openssl"),
    ("musl-utils", "musl"),
    ("ssl_client", "busybox"),
    ("busybox-binsh", "busybox"),
    ("libcurl", "curl"),
    ("krb5-libs", "krb5"),
    ("ncurses-libs", "ncurses"),
    ("ncurses-terminfo-base", "ncurses"),
    ("ncurses-terminfo", "ncurses"),
    ("libtls-standalone", "libtls-standalone"),
    ("npm", "nodejs"),
    ("sqlite-libs", "sqlite"),
    ("xz-libs", "xz"),
    ("libuuid", "util-linux"),
    ("libblkid", "util-linux"),
    ("libmount", "util-linux"),
    ("libldap", "openldap"),
    ("libxml2-utils", "libxml2"),
    ("libgcc", "gcc"),
    ("libstdc++", "gcc"),
    ("git-perl", "git"),
    ("openssh-client", "openssh"),
    ("openssh-keygen", "openssh"),
    ("libjpeg-turbo", "libjpeg-turbo"),
    ("python2", "python2"),
    ("libbz2", "bzip2"),
    ("libpq", "postgresql"),
    ("apk-tools", "apk-tools"),
];

/// Packages of rpm of which no advisory names what was built from the same source.
const RPM: &[(&str, &str)] = &[
    ("audit-libs", "audit"),
    ("bzip2-libs", "bzip2"),
    ("cracklib-dicts", "cracklib"),
    ("db4-utils", "db4"),
    ("glib2", "glib2"),
    ("glibc-common", "glibc"),
    ("glibc-minimal-langpack", "glibc"),
    ("libblkid", "util-linux"),
    ("libgcc", "gcc"),
    ("libmount", "util-linux"),
    ("libsmartcols", "util-linux"),
    ("libstdc++", "gcc"),
    ("libuuid", "util-linux"),
    ("libzstd", "zstd"),
    ("openldap-compat", "openldap"),
    ("vim-minimal", "vim"),
    ("xz-libs", "xz"),
];

/// Packages that are parts of others since release 8.
const RPM_8: &[(&str, &str)] = &[
    ("nss-softokn", "nss"),
    ("nss-softokn-freebl", "nss"),
    ("nss-util", "nss"),
    ("php-json", "php"),
    ("rubygem-bigdecimal", "ruby"),
    ("rubygem-did_you_mean", "ruby"),
    ("rubygem-io-console", "ruby"),
    ("rubygem-json", "ruby"),
    ("rubygem-openssl", "ruby"),
    ("rubygem-psych", "ruby"),
    ("rubygem-rdoc", "ruby"),
    ("rubygems", "ruby"),
    ("npm", "nodejs"),
];

/// The compiler whose libraries have this version: `gcc-8` of `1:8.4.0-1ubuntu1`, `gcc-4.8`.
fn compiler(version: &str) -> Option<String> {
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let mut numbers = upstream.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Some(if major == "4" { format!("gcc-4.{minor}") } else { format!("gcc-{major}") })
}

/// Everything that anything is said of in Alpine: names of sources.
fn alpine(database: &Database) -> Result<HashSet<String>> {
    let mut names = HashSet::new();
    for (segment, namespace) in database.namespaces()? {
        if namespace.name.starts_with("Alpine:") {
            for named in segment.all(&namespace) {
                names.insert(named?.0.to_owned());
            }
        }
    }
    Ok(names)
}

impl Origins {
    pub(super) fn collect(database: &Database) -> Result<Self> {
        Ok(Self { debian: debian()?, red_hat: red_hat(database)?, alpine: alpine(database)? })
    }

    /// What the package was built from, where that is another.
    pub(super) fn source(
        &self,
        distribution: &str,
        package: &str,
        version: &str,
    ) -> Option<String> {
        let of = |table: &[(&str, &str)]| {
            table.iter().find(|(name, _)| *name == package).map(|(_, source)| (*source).to_owned())
        };
        // Until 14.04, Ubuntu had a variant of the library.
        let is_of_glibc = ["libc6", "libc-bin", "multiarch-support"].contains(&package);
        if is_of_glibc && ["ubuntu 12.04", "ubuntu 14.04"].contains(&distribution) {
            return Some("eglibc".to_owned());
        }
        match distribution.split(' ').next()? {
            // The first generation was built beside the second.
            "debian" | "ubuntu"
                if ["gnupg", "gpgv"].contains(&package) && version.starts_with("1.") =>
            {
                Some("gnupg".to_owned())
            }
            "debian" | "ubuntu" if ["libgcc1", "libstdc++6"].contains(&package) => {
                compiler(version)
            }
            "debian" | "ubuntu" => prefixed(package).or_else(|| of(MOVED)).or_else(|| {
                let known = self.debian.get(package).cloned();
                let older = OLDER.iter().find(|(prefix, _)| package.starts_with(prefix));
                known.or_else(|| older.map(|(_, source)| (*source).to_owned()))
            }),
            "alpine" | "wolfi" => of(ALPINE).or_else(|| {
                // `nghttp2-libs` is a part of `nghttp2`.
                let mut name = package;
                while !self.alpine.contains(name) {
                    (name, _) = name.rsplit_once('-')?;
                }
                Some(name.to_owned())
            }),
            "rhel" | "almalinux" | "rocky" | "ol"
                if distribution.ends_with(" 8") && of(RPM_8).is_some() =>
            {
                of(RPM_8)
            }
            _ => {
                let known = of(RPM).or_else(|| self.red_hat.get(package).cloned());
                // It was another project's fork then.
                let is_old = distribution.ends_with(" 6");
                known.map(|it| if is_old && it == "util-linux" { format!("{it}-ng") } else { it })
            }
        }
    }
}

/// As the index of Debian says it that this machine has.
fn debian() -> Result<HashMap<String, String>> {
    let listed = Command::new("apt-cache").arg("dumpavail").output()?.stdout;
    let text = String::from_utf8_lossy(&listed);
    let mut sources = HashMap::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if let (Some(package), Some(source)) = (field("Package"), field("Source")) {
            let source = source.split(' ').next().unwrap_or_default();
            sources.insert(package.to_owned(), source.to_owned());
        }
    }
    Ok(sources)
}

/// As what Red Hat publishes lets it be told: an advisory names packages in one feed, and builds in
/// the other, and those of one build have its version.
fn red_hat(database: &Database) -> Result<HashMap<String, String>> {
    let mut sources = HashMap::new();
    let (Some(packages), Some(builds)) =
        (database.provider("redhat"), database.provider("redhat-cve"))
    else {
        return Ok(sources);
    };
    // By flaw and version, what was built.
    let mut built: HashMap<(u32, String), String> = HashMap::new();
    for namespace in builds.namespaces()? {
        for named in builds.all(&namespace) {
            let (name, rows) = named?;
            for row in rows {
                let Some(upper) = row.upper else { continue };
                for cve in builds.advisory(row.advisory)?.cves {
                    let version = upper.text.strip_prefix("0:").unwrap_or(upper.text);
                    built.insert((cve.number(), version.to_owned()), name.to_owned());
                }
            }
        }
    }
    for namespace in packages.namespaces()? {
        for named in packages.all(&namespace) {
            let (name, rows) = named?;
            if sources.contains_key(name) {
                continue;
            }
            for row in rows {
                let Some(upper) = row.upper else { continue };
                let version = upper.text.strip_prefix("0:").unwrap_or(upper.text);
                let cves = packages.advisory(row.advisory)?.cves;
                let found =
                    cves.iter().find_map(|cve| built.get(&(cve.number(), version.to_owned())));
                if let Some(source) = found {
                    sources.insert(name.to_owned(), source.clone());
                    break;
                }
            }
        }
    }
    Ok(sources)
}
