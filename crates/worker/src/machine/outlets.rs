//! Where jobs may have their results written: beneath folders and beginnings of `s3://` addresses that
//! the settings name, and nowhere else.

use std::path::{Component, Path, PathBuf};

use fathom_artefact::{Artefacts, BucketSettings, Key, beneath, bucket_and_rest};
use sha2::{Digest as _, Sha256};

/// The longest name of a job that stands in a file's name as it is.
const PLAIN: usize = 120;

/// Where results may go. Nowhere, unless told otherwise.
#[derive(Debug, Default)]
pub struct Outlets {
    outlets: Vec<Outlet>,
    most: u64,
}

#[derive(Debug)]
struct Outlet {
    place: Place,
    artefacts: Artefacts,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    /// A bucket, and the beginning of the names in it.
    Bucket(String, String),
}

/// Where one result goes.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) artefacts: &'a Artefacts,
    pub(super) key: Key,
    /// As a result names it.
    pub(super) location: String,
}

impl Outlets {
    /// Beneath these: absolute paths of folders that are there, and beginnings of `s3://BUCKET/…`, of
    /// which `buckets` knows the bucket. A file has at most so many bytes.
    pub fn new<T: AsRef<str>>(
        places: impl IntoIterator<Item = T>,
        buckets: &[BucketSettings],
        most: u64,
    ) -> Result<Self, String> {
        let outlet = |text: &str| {
            if text.starts_with("s3://") {
                let (bucket, prefix) = bucket_and_rest(text).map_err(|error| error.to_string())?;
                let settings = buckets.iter().find(|it| it.name == bucket).ok_or_else(|| {
                    format!("{text}: no bucket {bucket} is set; name it in buckets")
                })?;
                let artefacts =
                    Artefacts::in_bucket(settings, prefix).map_err(|error| error.to_string())?;
                let place = Place::Bucket(bucket.to_owned(), prefix.to_owned());
                return Ok(Outlet { place, artefacts });
            }
            let path = Path::new(text);
            let plain = path.is_absolute()
                && path.components().skip(1).all(|part| matches!(part, Component::Normal(_)))
                && path.components().count() > 1;
            if !plain {
                return Err(format!(
                    "{text}: it is no absolute path of a folder of its own, nor s3://"
                ));
            }
            let artefacts = Artefacts::in_folder(path).map_err(|error| error.to_string())?;
            Ok(Outlet { place: Place::Folder(path.components().collect()), artefacts })
        };
        let outlets = places.into_iter().map(|text| outlet(text.as_ref()));
        Ok(Self { outlets: outlets.collect::<Result<_, String>>()?, most })
    }

    /// The most bytes that a file has.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Refuses a destination that results may not go to, by its text alone.
    pub(super) fn check(&self, destination: &str) -> Result<(), String> {
        self.target(destination, "job", "").map(drop)
    }

    /// Where the result of a job goes whose destination is this. One job has one name there, whoever
    /// does it and however often.
    pub(super) fn target(
        &self,
        destination: &str,
        job: &str,
        ending: &str,
    ) -> Result<Target<'_>, String> {
        let shown: String = destination.chars().take(200).collect();
        let refuse = |why: &str| format!("{shown:?}: {why}");
        let none = "it lies beneath no place that results may go to (worker.results)";
        let (outlet, inner) = self
            .outlets
            .iter()
            .find_map(|outlet| Some((outlet, outlet.inner(destination)?)))
            .ok_or_else(|| refuse(none))?;
        let file = format!("{}{ending}", name(job));
        let key = if inner.is_empty() { file } else { format!("{inner}/{file}") };
        let key = Key::new(key).map_err(|error| refuse(&error.to_string()))?;
        let location = format!("{}/{key}", outlet.artefacts);
        Ok(Target { artefacts: &outlet.artefacts, key, location })
    }
}

impl Outlet {
    /// What of a destination is behind this place, if it lies beneath it.
    fn inner<'d>(&self, destination: &'d str) -> Option<&'d str> {
        match &self.place {
            // By the text, so that what the parts are called is for the key to judge.
            Place::Folder(folder) => beneath(destination, folder.to_str()?),
            Place::Bucket(bucket, prefix) => {
                let (theirs, rest) = bucket_and_rest(destination).ok()?;
                if theirs == bucket { beneath(rest, prefix) } else { None }
            }
        }
    }
}

/// The name of a job as that of a file. Two jobs never have the same.
fn name(job: &str) -> String {
    let mut name = String::with_capacity(job.len());
    for c in job.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || "-_.+@".contains(c) => name.push(c),
            other => name.push_str(&format!("={:02X}", u32::from(other))),
        }
    }
    if name.len() <= PLAIN && !name.starts_with('.') {
        return name;
    }
    let digest: String =
        Sha256::digest(job.as_bytes()).iter().map(|it| format!("{it:02x}")).collect();
    format!("job=={digest}")
}

#[cfg(test)]
mod tests {
    use fathom_secret::Secret;

    use super::*;

    #[test]
    fn names_of_jobs_are_names_of_files() {
        let long = "x".repeat(256);
        let longer = format!("{long}y");
        let mut seen = std::collections::BTreeSet::new();
        for job in ["job-1", "a:b", "a=3Ab", "a~b", ".hidden", "a/b", &long, &longer, "ä", "job==a"]
        {
            let name = name(job);
            Key::new(format!("{name}.spdx.json.zst")).unwrap();
            assert!(seen.insert(name), "{job}");
        }
        assert_eq!(name("job-01a2.b_c"), "job-01a2.b_c");
    }

    #[test]
    fn only_what_lies_beneath_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        let key = Some(("id".to_owned(), Secret::new("secret")));
        let bucket = BucketSettings { key, ..BucketSettings::new("reports") };
        let places = [root, "s3://reports/team-a/"];
        let outlets = Outlets::new(places, &[bucket], 1000).unwrap();
        for (destination, expected) in [
            (root.to_owned(), format!("{root}/job-1.json")),
            (format!("{root}/"), format!("{root}/job-1.json")),
            (format!("{root}/a/b"), format!("{root}/a/b/job-1.json")),
            ("s3://reports/team-a".to_owned(), "s3://reports/team-a/job-1.json".to_owned()),
            ("s3://reports/team-a/x/".to_owned(), "s3://reports/team-a/x/job-1.json".to_owned()),
        ] {
            let target = outlets.target(&destination, "job-1", ".json").unwrap();
            assert_eq!(target.location, expected);
        }
        for destination in [
            "",
            "/",
            "/etc",
            "relative",
            "file:///etc",
            "s3://",
            "s3://other/team-a",
            "s3://reports",
            "s3://reports/team-ab",
            "s3://reports/team-a/../b",
            "s3://reports//team-a",
            "https://h/",
            "s3://reports/team-a/a\0b",
            "S3://reports/team-a",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain(
            ["/..", "x", "/a/../../b", "//a", "/.a", "/a b", "/a\n"]
                .map(|it| format!("{root}{it}")),
        ) {
            assert!(outlets.check(&destination).is_err(), "{destination:?}");
        }
    }

    #[test]
    fn places_that_are_none_are_told() {
        for (place, why) in [
            ("results", "no absolute path"),
            ("/", "no absolute path"),
            ("/tmp/..", "no absolute path"),
            ("/no/such/folder", "there is no"),
            ("s3://", "names no bucket"),
            ("s3://other/x", "name it in buckets"),
        ] {
            let error = Outlets::new([place], &[], 1).unwrap_err();
            assert!(error.contains(why) || error.contains("No such file"), "{error}");
        }
    }
}
