//! What is to be known of an ecosystem to read what is said about it.

use fathom_advisory::segment::Subject;
use fathom_version::Scheme;

/// Whose versions these are, and what the names are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ecosystem {
    pub(crate) scheme: Scheme,
    pub(crate) subject: Subject,
}

/// What is known of the ecosystem that OSV calls so, by what stands before the first colon.
pub(crate) fn ecosystem(name: &str) -> Option<Ecosystem> {
    let (scheme, subject) = match name.split_once(':').map_or(name, |(name, _)| name) {
        "Debian" | "Ubuntu" | "Echo" => (Scheme::Debian, Subject::Source),
        "Alpine" | "Wolfi" | "Chainguard" | "MinimOS" | "Alpaquita" => {
            (Scheme::Apk, Subject::Source)
        }
        "Red Hat" | "AlmaLinux" | "SUSE" | "openSUSE" => (Scheme::Rpm, Subject::Installed),
        "Rocky Linux" | "Mageia" | "openEuler" | "Azure Linux" => (Scheme::Rpm, Subject::Source),
        "PyPI" => (Scheme::Pep440, Subject::Installed),
        "npm" | "crates.io" => (Scheme::Semver, Subject::Installed),
        "Go" => (Scheme::Go, Subject::Installed),
        "Maven" => (Scheme::Maven, Subject::Installed),
        "RubyGems" => (Scheme::Gem, Subject::Installed),
        "NuGet" => (Scheme::Nuget, Subject::Installed),
        "Packagist" => (Scheme::Packagist, Subject::Installed),
        _ => return None,
    };
    Some(Ecosystem { scheme, subject })
}

/// Whether the ecosystem that OSV calls so is that of a language.
pub(crate) fn is_language(name: &str) -> bool {
    let scheme = ecosystem(name).map(|it| it.scheme);
    !matches!(scheme, None | Some(Scheme::Debian | Scheme::Apk | Scheme::Rpm))
}

/// Whether anything of the package is ever run: what only helps to find errors is not.
pub(crate) fn is_run(name: &str) -> bool {
    let aids = ["-debuginfo", "-debugsource", "-debuginfo-32bit", "-debuginfo-64bit"];
    !aids.iter().any(|aid| name.ends_with(aid))
}
