//! How often a password may be guessed: after some failures each further one makes whoever guesses,
//! and whoever's password it is, wait twice as long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures of one name that are let pass; people mistype.
const OF_NAME: u32 = 5;
/// Failures from one address that are let pass; several people may come from it.
const OF_ADDRESS: u32 = 20;
/// The longest wait: who knows a name should not be able to lock its owner out for good.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// One failure is forgotten after so long.
const FORGET: Duration = Duration::from_secs(60);
/// How many are told apart.
const MOST: usize = 10_000;

/// What was guessed at, and from where.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Whose {
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    since: Instant,
    closed_until: Instant,
}

/// Failures, of names and addresses.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<Whose, Count>>);

impl Guesses {
    /// Counts a try, as a failure until it is one no more. Where it may not be made: after how many
    /// seconds the next may.
    pub(crate) fn begin(&self, name: &str, from: IpAddr) -> Result<(), u32> {
        self.begin_at(name, from, Instant::now())
    }

    fn begin_at(&self, name: &str, from: IpAddr, now: Instant) -> Result<(), u32> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let both =
            [(Whose::Address(network(from)), OF_ADDRESS), (Whose::Name(name.to_owned()), OF_NAME)];
        let closed = both.iter().filter_map(|(whose, _)| counts.get(whose));
        if let Some(until) = closed.map(|count| count.closed_until).max()
            && until > now
        {
            let seconds = (until - now).as_secs_f64().ceil() as u32;
            return Err(seconds.max(1));
        }
        for (whose, free) in both {
            make_room(&mut counts, now);
            let count =
                counts.entry(whose).or_insert(Count { failures: 0, since: now, closed_until: now });
            count.forget(now);
            count.failures = count.failures.saturating_add(1);
            if let Some(beyond) = count.failures.checked_sub(free) {
                let wait = Duration::from_secs(1 << beyond.min(20)).min(LONGEST);
                count.closed_until = now + wait;
            }
        }
        Ok(())
    }

    /// The try was none: the password was right. Other failures from the address count on, since
    /// somebody who may log in could otherwise guess at others without end.
    pub(crate) fn succeed(&self, name: &str, from: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&Whose::Name(name.to_owned()));
        if let Some(count) = counts.get_mut(&Whose::Address(network(from))) {
            count.failures = count.failures.saturating_sub(1);
            if count.failures < OF_ADDRESS {
                count.closed_until = count.since;
            }
        }
    }
}

impl Count {
    /// Forgets what lies long enough back.
    fn forget(&mut self, now: Instant) {
        let from = self.since.max(self.closed_until);
        let periods = now.saturating_duration_since(from).as_secs() / FORGET.as_secs();
        let forgotten = u32::try_from(periods).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_sub(forgotten);
        if forgotten > 0 || self.failures == 0 {
            self.since = now;
        }
    }
}

/// Makes room for one more. Who has failed least, and longest ago, is forgotten first: names that are
/// made up do not push out one that is guessed at.
fn make_room(counts: &mut HashMap<Whose, Count>, now: Instant) {
    if counts.len() < MOST {
        return;
    }
    counts.retain(|_, count| {
        count.forget(now);
        count.failures > 0
    });
    if counts.len() >= MOST {
        let least = counts.iter().min_by_key(|(_, count)| (count.failures, count.since));
        if let Some(whose) = least.map(|(whose, _)| whose.clone()) {
            counts.remove(&whose);
        }
    }
}

/// Whoever has one address of IPv6 has all of its network.
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn each_further_failure_takes_twice_as_long() {
        let guesses = Guesses::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..16 {
            assert_eq!(guesses.begin_at("ann", address(1), now), Ok(()));
            let until = guesses.0.lock().unwrap()[&Whose::Name("ann".to_owned())].closed_until;
            let wait = until.saturating_duration_since(now);
            waits.push(wait.as_secs());
            if !wait.is_zero() {
                let early = guesses.begin_at("ann", address(2), now);
                assert_eq!(early, Err(wait.as_secs() as u32), "nobody may, from wherever");
            }
            now += wait;
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(guesses.begin_at("bob", address(2), now), Ok(()), "others are not concerned");
        // It is forgotten, one failure a minute.
        now += 20 * FORGET;
        assert_eq!(guesses.begin_at("ann", address(2), now), Ok(()));
        assert_eq!(guesses.begin_at("ann", address(2), now), Ok(()));
    }

    #[test]
    fn whoever_is_right_does_not_count_and_frees_the_name_alone() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..100 {
            assert_eq!(guesses.begin_at("ann", address(1), now), Ok(()));
            guesses.succeed("ann", address(1));
        }
        for _ in 0..4 {
            for _ in 0..4 {
                assert_eq!(guesses.begin_at("ann", address(1), now), Ok(()));
            }
            guesses.succeed("ann", address(1));
        }
        // Twelve of these failed, and so do eight more.
        for number in 0..8 {
            assert_eq!(guesses.begin_at(&format!("name{number}"), address(1), now), Ok(()));
        }
        assert_eq!(guesses.begin_at("bob", address(1), now), Err(1));
        assert_eq!(guesses.begin_at("bob", address(2), now), Ok(()));
    }

    #[test]
    fn made_up_names_and_addresses_take_no_more_memory_and_push_nobody_out() {
        let guesses = Guesses::default();
        let now = Instant::now();
        for _ in 0..8 {
            let _ = guesses.begin_at("ann", address(1), now);
        }
        for number in 0..20_000_u32 {
            let [_, b, c, d] = number.to_be_bytes();
            let from = IpAddr::from([10, b, c, d]);
            assert_eq!(guesses.begin_at(&format!("name{number}"), from, now), Ok(()));
        }
        assert!(guesses.0.lock().unwrap().len() <= MOST);
        assert!(guesses.begin_at("ann", address(1), now).is_err());
        let one = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        let other = "2001:db8:1:2::1".parse().unwrap();
        assert_eq!(network(one), network(other));
    }
}
