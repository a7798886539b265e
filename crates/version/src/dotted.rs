//! Numbers with dots between them.

use crate::key;
use crate::pieces::taken;

/// Adds the numbers at the beginning. Zeros at their end are as good as none, and are left out. How
/// many numbers there were, and what is behind them; nothing where there is no number.
pub(crate) fn encode<'v>(text: &'v str, key: &mut Vec<u8>) -> Option<(usize, &'v str)> {
    let (mut number, mut rest) = first(text)?;
    let (mut count, mut zeros) = (1, 0);
    loop {
        if number.bytes().all(|digit| digit == b'0') {
            zeros += 1;
        } else {
            for _ in 0..std::mem::take(&mut zeros) {
                key::value(0, key);
            }
            key::number(number.as_bytes(), key);
        }
        match rest.strip_prefix('.').and_then(first) {
            Some((next, behind)) => (number, rest) = (next, behind),
            None => return Some((count, rest)),
        }
        count += 1;
    }
}

/// The number at the beginning, and what is behind it.
fn first(text: &str) -> Option<(&str, &str)> {
    let (digits, _) = taken(text.as_bytes(), u8::is_ascii_digit);
    if digits.is_empty() { None } else { text.split_at_checked(digits.len()) }
}
