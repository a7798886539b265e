//! Dates and times of FAT: years from 1980 and steps of two seconds, in the local time of whoever
//! wrote them. Which zone that was stands nowhere; they are taken for UTC.

use crate::timestamp::Timestamp;

/// The date and time of day, and hundredths of a second after them. A month or day of zero is
/// taken for one, as Linux does.
pub(super) fn timestamp(date: u16, time: u16, hundredths: u8) -> Timestamp {
    let year = i64::from(date >> 9) + 1980;
    let month = i64::from(date >> 5 & 15).clamp(1, 12);
    let day = i64::from(date & 31).max(1);
    let (hour, minute, second) =
        (i64::from(time >> 11), i64::from(time >> 5 & 63), i64::from(time & 31) * 2);
    let hundredths = i64::from(hundredths);
    let seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    Timestamp::new(seconds + hundredths / 100, (hundredths % 100) as u32 * 10_000_000)
}

/// How many days a date is after 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year that starts in March has its leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: u16, month: u16, day: u16, time: u16, hundredths: u8) -> (i64, u32) {
        let time = timestamp((year - 1980) << 9 | month << 5 | day, time, hundredths);
        (time.seconds, time.nanos)
    }

    #[test]
    fn dates_of_the_whole_range() {
        assert_eq!(at(1980, 1, 1, 0, 0), (315_532_800, 0));
        assert_eq!(at(2000, 2, 29, 0, 0), (951_782_400, 0));
        assert_eq!(at(2000, 3, 1, 0, 0), (951_868_800, 0));
        assert_eq!(at(2100, 3, 1, 0, 0), (4_107_542_400, 0));
        assert_eq!(at(2107, 12, 31, 0xBF7D, 0), (4_354_819_198, 0));
        assert_eq!(at(1980, 1, 1, 1, 199), (315_532_803, 990_000_000));
        assert_eq!(at(1980, 0, 0, 0, 0), (315_532_800, 0));
    }
}
