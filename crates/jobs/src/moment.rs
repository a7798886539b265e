//! Points in time as documents write them.

use fathom_store::Time;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment as documents write it, to the microsecond.
pub fn rfc3339(at: Time) -> String {
    let nanos = i128::from(at.0).saturating_mul(1000);
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

/// What a document wrote, where it is a moment of RFC 3339.
pub fn parse(text: &str) -> Option<Time> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1000).ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::{parse, rfc3339};
    use fathom_store::Time;

    #[test]
    fn what_is_written_is_read() {
        for text in ["2026-02-03T10:00:00Z", "1970-01-01T00:00:00Z", "2026-02-03T10:00:00.123456Z"]
        {
            assert_eq!(rfc3339(parse(text).unwrap()), text);
        }
        assert_eq!(parse("2026-02-03T12:00:00+02:00"), parse("2026-02-03T10:00:00Z"));
        for text in ["", "2026-02-03", "2026-02-30T10:00:00Z", "yesterday", "2026-02-03T10:00:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(rfc3339(Time(i64::MAX)).starts_with("9999"));
        assert!(!rfc3339(Time(i64::MIN)).is_empty());
    }
}
