//! The pieces that keys are written in.
//!
//! A key is bytes, and plain comparison of two keys is the order of their versions. So whatever may
//! stand at one place of two versions begins with a byte that says what it is, and these bytes are
//! ordered as what they stand for. Numbers have the bytes from `NUMBER` on; an order has marks of
//! its own below `NUMBER`, and from `ABOVE` on.

use crate::pieces::{skipped, taken};

/// The first of the bytes that begin a number. No mark that is to come before numbers reaches it.
pub(crate) const NUMBER: u8 = 0x20;

/// The first byte behind those that begin a number.
pub(crate) const ABOVE: u8 = 0xC0;

/// Numbers below this one are a byte alone.
const SMALL: u64 = 151;

/// Before a number that is written in one byte; those of more bytes have the marks behind it.
const LONGER: u8 = NUMBER + SMALL as u8;

/// Before a number that is written in its decimal digits.
const HUGE: u8 = ABOVE - 1;

/// The most digits of which every number fits 64 bits.
const DIGITS: usize = 19;

/// Adds the digits or the letters that the text begins with, letters behind the mark `word`, and
/// returns what follows them.
pub(crate) fn stretch<'t>(text: &'t [u8], word: u8, key: &mut Vec<u8>) -> &'t [u8] {
    if text.first().is_some_and(u8::is_ascii_digit) {
        let (digits, rest) = taken(text, u8::is_ascii_digit);
        number(digits, key);
        return rest;
    }
    let (letters, rest) = taken(text, u8::is_ascii_alphabetic);
    key.push(word);
    self::word(letters, key);
    rest
}

/// Adds a number of any length, written in decimal digits. No digit at all is nought.
pub(crate) fn number(digits: &[u8], key: &mut Vec<u8>) {
    let digits = skipped(digits, |digit| *digit == b'0');
    if digits.len() <= DIGITS {
        // At most 19 digits: this cannot overflow, and saturates all the same.
        let add = |sum: u64, digit: &u8| {
            sum.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0')))
        };
        value(digits.iter().fold(0, add), key);
    } else {
        key.push(HUGE);
        key.extend((digits.len() as u64).to_be_bytes());
        key.extend(digits);
    }
}

/// Adds a number.
pub(crate) fn value(value: u64, key: &mut Vec<u8>) {
    if value < SMALL {
        key.push(NUMBER + value as u8);
        return;
    }
    // Between one byte and eight, as the number is not nought.
    let length = value.ilog2() as usize / 8 + 1;
    key.push(LONGER + length as u8 - 1);
    key.extend(&value.to_be_bytes()[8 - length..]);
}

/// Adds a word, in which no byte may be nought. One that begins another comes before it.
pub(crate) fn word(text: &[u8], key: &mut Vec<u8>) {
    key.extend(text);
    key.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let digits = [
            "",
            "1",
            "2",
            "9",
            "10",
            "149",
            "150",
            "151",
            "152",
            "255",
            "256",
            "65535",
            "65536",
            "16777215",
            "16777216",
            "4294967295",
            "4294967296",
            "1099511627775",
            "1099511627776",
            "281474976710655",
            "281474976710656",
            "72057594037927935",
            "72057594037927936",
            "9999999999999999999",
            "10000000000000000000",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "100000000000000000000",
        ];
        let keys = digits.map(|digits| {
            let mut key = Vec::new();
            number(digits.as_bytes(), &mut key);
            key
        });
        assert!(keys.is_sorted_by(|one, other| one < other), "{keys:x?}");
        for (digits, key) in digits.iter().zip(&keys) {
            assert!((NUMBER..ABOVE).contains(&key[0]), "{digits}");
            let mut longer = Vec::new();
            number(format!("000{digits}").as_bytes(), &mut longer);
            assert_eq!(*key, longer, "{digits}");
            if let Ok(number) = digits.parse()
                && digits.len() <= DIGITS
            {
                longer.clear();
                value(number, &mut longer);
                assert_eq!(*key, longer, "{digits}");
            }
        }
    }

    #[test]
    fn words_keep_their_order() {
        let mut keys = Vec::new();
        for text in ["", "a", "a-", "aa", "ab", "b"] {
            let mut key = Vec::new();
            word(text.as_bytes(), &mut key);
            // Whatever follows does not matter.
            key.push(0xFF);
            keys.push(key);
        }
        assert!(keys.is_sorted());
    }
}
