//! Licences: an expression of SPDX where it is one, and what it says where not.

use spdx::{Expression, ParseMode};

/// The text as an expression of SPDX licences, if it is a valid one. What a database of packages
/// says may be `GPLv2+ and Public Domain`, which is none: nothing is guessed.
pub fn expression(text: &str) -> Option<String> {
    /// The longest text that is looked at.
    const LONGEST: usize = 4096;
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let parsed = Expression::parse_mode(text, ParseMode::STRICT).ok()?;
    let known = |requirement: &spdx::expression::ExpressionReq| {
        matches!(requirement.req.license, spdx::LicenseItem::Spdx { .. })
    };
    parsed.requirements().all(known).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_valid_is_an_expression() {
        for (text, valid) in [
            ("MIT", true),
            ("GPL-2.0-or-later WITH Classpath-exception-2.0", true),
            ("(MIT OR Apache-2.0) AND BSD-3-Clause", true),
            ("GPLv2+", false),
            ("MIT and BSD", false),
            ("LicenseRef-own", false),
            ("Public Domain", false),
            ("", false),
            ("(MIT", false),
        ] {
            assert_eq!(expression(text).is_some(), valid, "{text}");
        }
        assert!(expression(&"(".repeat(4000)).is_none());
    }
}
