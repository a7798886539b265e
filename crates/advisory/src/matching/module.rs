//! Streams of modules, and which statements hold for which.
//!
//! A distribution of Red Hat's kin has several versions of some software side by side, each a stream
//! of a module, built and mended by itself. Their versions have nothing to say to each other: what is
//! mended in 16.20 of one stream is another matter than 18.1 of the next.

use std::collections::HashMap;

use fathom_report::{Package, System};

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

/// The streams of a system's packages. Where a package does not say its own, those of the same build
/// may tell it.
pub(crate) struct Streams<'d> {
    by_build: HashMap<String, &'d str>,
    /// Where streams of announcements are said.
    announced: Vec<(&'d Segment, Namespace<'d>)>,
}

impl<'d> Streams<'d> {
    pub(crate) fn of(database: &'d Database, system: &System) -> Result<Self> {
        let mut builds: HashMap<&str, Vec<&Package>> = HashMap::new();
        for package in &system.packages.items {
            if let (Stream::Unnamed(_), Some(build)) = (Stream::of(package), build(package)) {
                builds.entry(build).or_default().push(package);
            }
        }
        let mut by_build = HashMap::new();
        let mut announced = database.namespaces()?;
        announced.retain(|(_, namespace)| namespace.name == STREAMS);
        if builds.is_empty() {
            return Ok(Self { by_build, announced });
        }
        let mut known = Vec::new();
        for segment in database.segments() {
            known.extend(segment.qualifiers()?.into_iter().filter_map(|it| {
                let (module, stream) = it.split_once(':')?;
                Some((module, stream, it))
            }));
        }
        for (build, packages) in builds {
            // The package that a module is named by is numbered by its stream.
            let fitting = known.iter().filter(|(module, stream, _)| {
                packages.iter().any(|it| it.name == *module && begins(&it.version, stream))
            });
            if let Some((_, _, named)) = fitting.max_by_key(|(_, stream, _)| stream.len()) {
                by_build.insert(build.to_owned(), *named);
            }
        }
        Ok(Self { by_build, announced })
    }

    /// Whether a statement holds for a package, by its stream.
    pub(crate) fn fit(&self, package: &Package, segment: &Segment, row: &Row<'_>) -> Result<bool> {
        let stream = self.get(package);
        let upper = row.upper.map(|upper| upper.text);
        if !stream.fits(row.qualifier, upper) {
            return Ok(false);
        }
        let Some(upper) = upper.filter(|_| row.qualifier.is_none() && stream != Stream::None)
        else {
            return Ok(true);
        };
        // An announcement of a module that does not say of which stream it is.
        let name = segment.name(row.advisory)?;
        let number = name.split_once('-').map_or(name, |(_, number)| number);
        let mut is_announced = false;
        for (segment, namespace) in &self.announced {
            for said in segment.rows(namespace, number)? {
                is_announced = true;
                if stream.fits(said.qualifier, Some(upper)) {
                    return Ok(true);
                }
            }
        }
        Ok(!is_announced && stream.is_numbered_as(package, upper))
    }

    /// The stream of one of the packages.
    pub(crate) fn get<'p>(&self, package: &'p Package) -> Stream<'p>
    where
        'd: 'p,
    {
        let own = Stream::of(package);
        let of_build = || self.by_build.get(build(package)?).copied();
        match own {
            Stream::Unnamed(_) => of_build().map_or(own, Stream::Named),
            _ => own,
        }
    }
}

/// What the release of a package says of the build of its module.
fn build(package: &Package) -> Option<&str> {
    let release = package.release.as_deref()?;
    // A later build of one package alone adds a number of its own.
    let build = release.get(build_at(release)?..)?;
    let hash = build.rfind('+')?;
    let end = build.get(hash..)?.find('.').map_or(build.len(), |dot| hash + dot);
    build.get(..end)
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
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        stream.is_empty() || !begins(&package.version, stream) || begins(version, stream)
    }

    /// Whether a statement holds for such a package: one about this stream, with this version.
    pub(crate) fn fits(self, qualifier: Option<&str>, version: Option<&str>) -> bool {
        let is_of_module = qualifier.is_some() || version.is_some_and(is_module_build);
        match (self, qualifier) {
            (Self::None, _) => !is_of_module,
            (Self::Named(stream), Some(wanted)) => stream == wanted,
            (Self::Unnamed(version), Some(wanted)) => {
                // The streams of most modules are the beginnings of the versions within.
                let stream = wanted.split_once(':').map_or("", |(_, stream)| stream);
                let is_number = stream.bytes().next().is_some_and(|it| it.is_ascii_digit());
                !is_number || begins(version, stream)
            }
            (Self::Named(_) | Self::Unnamed(_), None) => version.is_none_or(is_module_build),
        }
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
            assert_eq!(stream.fits(qualifier, version), expected, "{stream:?} {qualifier:?}");
        }
    }
}
