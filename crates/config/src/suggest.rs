//! What somebody meant who wrote something else.

/// Longer names are not compared: who writes them meant none of ours.
const LONGEST: usize = 80;

/// The name that is so close to `wrong` that it is likely meant.
pub(crate) fn closest<'n>(
    wrong: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    if wrong.len() > LONGEST {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let distance = |name: &str| strsim::osa_distance(&wrong, &name.to_lowercase());
    let all = names.into_iter().map(|name| (distance(name), name));
    let (distance, name) = all.min_by_key(|(distance, _)| *distance)?;
    let most = match wrong.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        length => length / 3,
    };
    (distance <= most && distance < name.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_close_is_meant() {
        let names = ["config", "type", "listen", "request_timeout", "url"];
        for (wrong, meant) in [
            ("conifg", Some("config")),
            ("Type", Some("type")),
            ("requestTimeout", Some("request_timeout")),
            ("uri", Some("url")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(closest(wrong, names), meant, "{wrong}");
        }
        assert_eq!(closest(&"x".repeat(100_000), names), None);
    }
}
