//! What the machine asks of passwords.

use fathom_report::{Listing, Setting};

use super::super::registry::{Name, Registry};
use super::sam::Policy;
use super::{ACCOUNT, of_record};
use crate::files::Read;

/// Steps of 100 nanoseconds.
const MINUTE: i64 = 600_000_000;
const DAY: i64 = 1440 * MINUTE;

const COMPLEX: u32 = 0x1;
const CLEAR_TEXT: u32 = 0x10;

/// The policy of the machine's own accounts. That of a domain would come from elsewhere.
pub(in crate::windows) fn passwords(registry: &Registry<'_>) -> Listing<Setting> {
    let place = format!(r"HKLM\SAM\{ACCOUNT}\F");
    let account = match registry.key(Name::Sam, ACCOUNT) {
        Read::There(account) => account,
        Read::Absent => return Listing::unknown(format!(r"there is no HKLM\SAM\{ACCOUNT}")),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let values = account.values();
    let bytes = match values.bytes("F") {
        Read::There(bytes) => bytes,
        Read::Absent => return Listing::unknown(format!("there is no {place}")),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let Some(policy) = of_record(registry, &place, Policy::read(&bytes)) else {
        return Listing::unknown(format!("{place} could not be understood"));
    };
    let flag = |bit: u32| u32::from(policy.properties & bit != 0).to_string();
    let settings = [
        ("minimum-length", policy.min_length.to_string()),
        ("history", policy.history.to_string()),
        ("maximum-age-days", span(policy.max_age, DAY)),
        ("minimum-age-days", span(policy.min_age, DAY)),
        ("complexity", flag(COMPLEX)),
        ("reversible-encryption", flag(CLEAR_TEXT)),
        ("lockout-threshold", policy.lockout_threshold.to_string()),
        ("lockout-duration-minutes", span(policy.lockout_duration, MINUTE)),
        ("lockout-window-minutes", span(policy.lockout_window, MINUTE)),
    ];
    let setting = |(name, value): (&str, String)| Setting {
        name: name.to_owned(),
        value,
        evidence: Some(place.as_str().into()),
    };
    Listing::complete(settings.into_iter().map(setting).collect(), vec![place.as_str().into()])
}

/// A span of time, which Windows writes as a negative number of steps. The smallest number stands
/// for ever.
fn span(steps: i64, unit: i64) -> String {
    match steps {
        i64::MIN => "unlimited".to_owned(),
        // Written either way by some tools.
        steps => (steps.saturating_abs() / unit).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        assert_eq!(span(-36_288_000_000_000, DAY), "42");
        assert_eq!(span(-18_000_000_000, MINUTE), "30");
        assert_eq!(span(0, DAY), "0");
        assert_eq!(span(i64::MIN, DAY), "unlimited");
    }
}
