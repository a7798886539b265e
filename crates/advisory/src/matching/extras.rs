//! Topics of Amazon's extras, and which statements hold for their packages.
//!
//! A topic has other versions of what the core has, or what it has not: `kernel-5.10`, `golang1.19`,
//! `docker`. What rpm keeps of a package does not say which of them it is from, but most topics are
//! there for the sake of a version, and are called by it. So where the mended version is one of those
//! that the topic is called by, the statement holds for such versions alone. Where it is not, because
//! the topic has no number or the package is another than the one it is called by, the statement holds
//! for every package of the name: to tell a flaw of another topic's build too much is better than none.

/// What the qualifiers of such statements begin with.
const PREFIX: &str = "extras:";

/// Whether the qualifier names a topic, and if so whether what is said of versions up to this one holds
/// for this one.
pub(crate) fn fits(qualifier: Option<&str>, installed: &str, upper: Option<&str>) -> Option<bool> {
    let topic = qualifier?.strip_prefix(PREFIX)?;
    let series = series(topic);
    let is_of_series = |version: &str| {
        let version = version.split_once(':').map_or(version, |(_, rest)| rest);
        version.strip_prefix(series).is_some_and(|rest| rest.starts_with(['.', '-']))
    };
    let tells = !series.is_empty() && upper.is_some_and(is_of_series);
    Some(!tells || is_of_series(installed))
}

/// The number that a topic is called by: `5.10` of `kernel-5.10`, `14` of `postgresql14`.
fn series(topic: &str) -> &str {
    let is_of_number = |it: char| it.is_ascii_digit() || it == '.';
    let start = topic.rfind(|it: char| !is_of_number(it)).map_or(0, |at| at + 1);
    topic.get(start..).unwrap_or_default().trim_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_called_by_versions() {
        for (topic, expected) in [
            ("kernel-5.10", "5.10"),
            ("postgresql14", "14"),
            ("golang1.19", "1.19"),
            ("docker", ""),
            ("livepatch", ""),
            ("", ""),
        ] {
            assert_eq!(series(topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_statement_holds_for_versions_that_its_topic_is_called_by() {
        for (qualifier, installed, upper, expected) in [
            (None, "4.14.355-1.amzn2", Some("5.10.1-1.amzn2"), None),
            (Some("nodejs:16"), "16.1-1", Some("16.2-1"), None),
            (Some("extras:kernel-5.10"), "5.10.9-1.amzn2", Some("5.10.102-1.amzn2"), Some(true)),
            (Some("extras:kernel-5.10"), "4.14.355-1.amzn2", Some("5.10.102-1"), Some(false)),
            (Some("extras:kernel-5.10"), "5.1.0-1", Some("5.10.102-1"), Some(false)),
            (Some("extras:golang1.9"), "1.19.10-1", Some("1.9.7-1"), Some(false)),
            (Some("extras:postgresql14"), "0:14.3-1", Some("14.7-1"), Some(true)),
            // Of a package that is numbered otherwise the topic's number says nothing.
            (Some("extras:postgresql14"), "3.15-1", Some("3.16-1"), Some(true)),
            (Some("extras:docker"), "20.10.4-1", Some("20.10.7-1"), Some(true)),
        ] {
            assert_eq!(fits(qualifier, installed, upper), expected, "{qualifier:?} {installed}");
        }
    }
}
