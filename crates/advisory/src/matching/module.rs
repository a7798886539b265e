//! Streams of modules, and which statements hold for which.
//!
//! A distribution of Red Hat's kin has several versions of some software side by side, each a stream
//! of a module, built and mended by itself. Their versions have nothing to say to each other: what is
//! mended in 16.20 of one stream is another matter than 18.1 of the next.

use std::collections::HashMap;

use fathom_report::{Package, System};

use super::without_epoch;
use crate::database::Database;
use crate::error::Result;
use crate::segment::{Namespace, Row, Segment};

/// Where it stands among ecosystems of which streams announcements are that do not say it themselves: by
/// their numbers, as `2024:1428`, which those who rebuild a distribution keep.
pub const STREAMS: &str = "Red Hat streams";

/// What a package says of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream<'p> {
    /// It belongs to none.
    None,
    /// As `nodejs:18`.
    Named(&'p str),
    /// It belongs to one, as its release tells, and nothing tells to which.
    Unnamed(&'p str),
}

/// Whether a statement holds for a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// It is about a stream of a module, and nothing tells whether the package is of that.
    Unknown,
}

impl Fit {
    fn of(fits: bool) -> Self {
        if fits { Self::Yes } else { Self::No }
    }
}

/// The streams of a system's modules, of which one is installed of each.
pub(crate) struct Streams<'d> {
    /// Those of modules of which something tells it, whether or not advisories know the stream: what
    /// packages say themselves, and the version of the package that a module is named by.
    known: HashMap<&'d str, Vec<&'d str>>,
    /// Where streams of announcements are said.
    announced: Vec<(&'d Segment, Namespace<'d>)>,
}

impl<'d> Streams<'d> {
    pub(crate) fn of(database: &'d Database, system: &'d System) -> Result<Self> {
        let mut announced = database.namespaces()?;
        announced.retain(|(_, namespace)| namespace.name == STREAMS);
        let mut known: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut namesakes: HashMap<&str, Vec<&str>> = HashMap::new();
        for package in &system.packages.items {
            match Stream::of(package) {
                Stream::None => {}
                Stream::Named(stream) => {
                    let module = stream.split(':').next().unwrap_or_default();
                    known.entry(module).or_default().push(stream);
                }
                Stream::Unnamed(version) => {
                    namesakes.entry(&package.name).or_default().push(version);
                }
            }
        }
        if namesakes.is_empty() {
            return Ok(Self { known, announced });
        }
        for segment in database.segments() {
            for named in segment.qualifiers()? {
                let Some((module, stream)) = named.split_once(':') else { continue };
                let Some(versions) = namesakes.get(module).filter(|_| is_number(stream)) else {
                    continue;
                };
                // That a package is named so and is of another version tells something too.
                let streams = known.entry(module).or_default();
                if versions.iter().any(|version| begins(version, stream)) {
                    streams.push(named);
                }
            }
        }
        Ok(Self { known, announced })
    }

    /// Whether a statement holds for a package, which says this of its stream.
    pub(crate) fn fit(
        &self,
        package: &Package,
        stream: Stream<'_>,
        segment: &Segment,
        row: &Row<'_>,
    ) -> Result<Fit> {
        let upper = row.upper.map(|upper| upper.text);
        let fit = self.fit_one(package, stream, row.qualifier, upper);
        let Some(upper) =
            upper.filter(|_| fit == Fit::Yes && row.qualifier.is_none() && stream != Stream::None)
        else {
            return Ok(fit);
        };
        // An announcement of a module that does not say of which stream it is.
        let name = segment.name(row.advisory)?;
        let number = name.split_once('-').map_or(name, |(_, number)| number);
        let mut fits = Vec::new();
        for (segment, namespace) in &self.announced {
            for said in segment.rows(namespace, number)? {
                fits.push(self.fit_one(package, stream, said.qualifier, Some(upper)));
            }
        }
        Ok(match fits.as_slice() {
            [] => Fit::of(stream.is_numbered_as(package, upper)),
            all if all.contains(&Fit::Yes) => Fit::Yes,
            all if all.contains(&Fit::Unknown) => Fit::Unknown,
            _ => Fit::No,
        })
    }

    /// The same, of a statement that says itself of which stream it is.
    fn fit_one(
        &self,
        package: &Package,
        stream: Stream<'_>,
        qualifier: Option<&str>,
        upper: Option<&str>,
    ) -> Fit {
        let (version, wanted) = match (stream, qualifier) {
            (Stream::None, _) => {
                let is_of_module = qualifier.is_some() || upper.is_some_and(is_module_build);
                return Fit::of(!is_of_module);
            }
            (_, None) => return Fit::of(upper.is_none_or(is_module_build)),
            (Stream::Named(stream), Some(wanted)) => return Fit::of(stream == wanted),
            (Stream::Unnamed(version), Some(wanted)) => (version, wanted),
        };
        let (module, number) = wanted.split_once(':').unwrap_or((wanted, ""));
        if let Some(known) = self.known.get(module) {
            return Fit::of(known.contains(&wanted));
        }
        // The streams of most modules are the beginnings of the versions within.
        if !is_number(number) || begins(version, number) {
            return Fit::Yes;
        }
        if package.name == module { Fit::No } else { Fit::Unknown }
    }
}

fn is_number(stream: &str) -> bool {
    stream.starts_with(|it: char| it.is_ascii_digit())
}

/// Whether a version is one of those that a stream is named by.
fn begins(version: &str, stream: &str) -> bool {
    version
        .strip_prefix(stream)
        .is_some_and(|rest| !rest.starts_with(|it: char| it.is_ascii_digit()))
}

impl<'p> Stream<'p> {
    pub(crate) fn of(package: &'p Package) -> Self {
        if let Some(module) = package.module.as_deref() {
            let end = module.match_indices(':').nth(1).map_or(module.len(), |(at, _)| at);
            return Self::Named(module.get(..end).unwrap_or(module));
        }
        let is_of_module = package.release.as_deref().is_some_and(is_module_build);
        match is_of_module || is_module_build(&package.version) {
            true => Self::Unnamed(&package.version),
            false => Self::None,
        }
    }

    /// Whether a version may be of the stream: where that is the beginning of the package's own version,
    /// it is of any other one.
    fn is_numbered_as(self, package: &Package, version: &str) -> bool {
        let stream = match self {
            Self::Named(stream) => stream.split_once(':').map_or("", |(_, stream)| stream),
            Self::Unnamed(_) | Self::None => "",
        };
        stream.is_empty()
            || !begins(&package.version, stream)
            || begins(without_epoch(version), stream)
    }
}

/// The version without what a build of a module adds to its release, which numbers the builds of one
/// builder and says nothing of those of another: `2.4.37-47.1` of
/// `2.4.37-47.module_el8.6.0+1111+ce6f4ceb.1`.
pub(crate) fn without_build(version: &str) -> Option<String> {
    let (before, build) = version.split_at(build_at(version)?);
    let hash = build.rsplit('+').next().unwrap_or_default();
    let after = hash.find('.').map_or("", |dot| &hash[dot..]);
    Some(format!("{before}{after}"))
}

/// Where a release says which build of a module it is of, as `2.module+el8.9.0+19644+d68f775d` does.
fn build_at(version: &str) -> Option<usize> {
    let is_build = |at: &usize| {
        let rest = version.get(*at..).unwrap_or_default();
        rest.starts_with(".module+") || rest.starts_with(".module_el")
    };
    // One dot after the other, since most versions have few.
    version.match_indices('.').map(|(at, _)| at).find(is_build)
}

/// Whether a version is that of a build of a module, as its release tells.
pub fn is_module_build(version: &str) -> bool {
    build_at(version).is_some()
}

#[cfg(test)]
mod tests {
    use fathom_report::PackageKind;

    use super::*;

    #[test]
    fn builds_are_left_out() {
        for (version, expected) in [
            ("2.4.37-47.module_el8.6.0+1111+ce6f4ceb.1", Some("2.4.37-47.1")),
            ("1:16.20.2-2.module+el8.9.0+19644+d68f775d", Some("1:16.20.2-2")),
            ("1.0-1.el8", None),
        ] {
            assert_eq!(without_build(version).as_deref(), expected);
        }
    }

    #[test]
    fn streams_keep_apart() {
        let build = Some("1:16.20.2-2.module+el8.9.0+1+abc");
        for (stream, qualifier, version, expected) in [
            (Stream::None, None, Some("1.0-1.el8"), true),
            (Stream::None, None, build, false),
            (Stream::None, Some("nodejs:16"), None, false),
            (Stream::Named("nodejs:16"), Some("nodejs:16"), build, true),
            (Stream::Named("nodejs:18"), Some("nodejs:16"), build, false),
            (Stream::Named("nodejs:18"), None, build, true),
            (Stream::Named("nodejs:18"), None, Some("1.0-1.el8"), false),
            (Stream::Named("nodejs:18"), None, None, true),
            (Stream::Unnamed("16.14.0"), Some("nodejs:16"), build, true),
            (Stream::Unnamed("18.14.0"), Some("nodejs:16"), build, false),
            (Stream::Unnamed("1.60.0"), Some("perl-x:1.6"), build, false),
            (Stream::Unnamed("5.0.2"), Some("virt:rhel"), build, true),
        ] {
            // Where nothing else that is installed tells any stream.
            let streams = Streams { known: HashMap::new(), announced: Vec::new() };
            let package = Package::bare(PackageKind::Rpm, "nodejs", "1", "rpmdb");
            let fit = streams.fit_one(&package, stream, qualifier, version);
            assert_eq!(fit == Fit::Yes, expected, "{stream:?} {qualifier:?}");
        }
    }
}
