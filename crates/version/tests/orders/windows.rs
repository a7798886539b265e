//! Numbers, and zeros for those that are missing.

use fathom_version::Scheme;

use crate::check;
use crate::random::Random;

#[test]
fn numbers_one_by_one() {
    let mut random = Random::new();
    for _ in 0..20_000 {
        let mut version = || {
            let numbers: Vec<u64> = (0..=random.below(5))
                .map(|_| random.one_of(&[0, 0, 1, 2, 10, 150, 151, 19041, 20348, u64::MAX]))
                .collect();
            let text: Vec<_> = numbers.iter().map(u64::to_string).collect();
            let behind = random.one_of(&["", "", " (WinBuild.160101.0800)"]);
            let mut numbers = numbers;
            numbers.resize(6, 0);
            (text.join(".") + behind, numbers)
        };
        let ((one, a), (other, b)) = (version(), version());
        check(Scheme::Windows, &one, &other, a.cmp(&b));
    }
}
