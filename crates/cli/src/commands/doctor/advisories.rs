//! Whether there is a database of advisories, and how old it is.

use fathom_advisory::{Database, Day, Kind};
use fathom_config::{Config, Span};

use super::Findings;

const REMEDY: &str =
    "fathom db update gets one of a mirror, and fathom db build makes one of feeds";

pub(super) fn check(config: &Config, findings: &mut Findings) {
    let about = "scan.database";
    let scan = &config.scan;
    if !scan.enabled {
        return findings.ok(about, "scan.enabled is false");
    }
    if let Some(url) = &scan.matcher_url {
        return findings.ok(about, format!("{url} is asked in its place"));
    }
    let shown = scan.database.display();
    let database = match Database::open(&scan.database) {
        Ok(database) => database,
        Err(error) if error.kind() == Kind::Missing => {
            return findings.wrong(about, format!("there is none at {shown}"), REMEDY);
        }
        Err(error) => return findings.wrong(about, error.to_string(), REMEDY),
    };
    if database.segments().is_empty() {
        return findings.wrong(about, format!("there is none at {shown}"), REMEDY);
    }
    let today = match crate::clock::now() {
        Ok(now) => Day::of(&crate::clock::rfc3339(now)),
        Err(failure) => {
            let why = failure.why().unwrap_or_default();
            return findings.warning(about, format!("how old it is cannot be told: {why}"), "");
        }
    };
    let ages = database.segments().iter().map(|segment| {
        let about = segment.about();
        // A feed without any date is as old as what was made of it.
        let as_of = Some(Day::of(&about.as_of)).filter(|day| day.is_known());
        let age = as_of.unwrap_or_else(|| Day::of(&about.built)).until(today);
        (age, about.provider.as_str())
    });
    let (age, provider) = ages.max().unwrap_or_default();
    let what = format!(
        "{shown}, {} providers, the oldest {provider} of {age} days ago",
        database.segments().len()
    );
    match Span::days(age.into()) > scan.max_age {
        true => findings.warning(about, what, "fathom db update gets a newer one"),
        false => findings.ok(about, what),
    }
}
