//! What somebody may have meant by a word that is not known.

/// The longest word that is compared.
const MAX_WORD: usize = 64;

/// `; did you mean "x"?` with the word that is closest, or nothing where none is close.
pub(crate) fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let begins = |known: &str| word.len() >= 3 && known.get(..3) == word.get(..3);
    let close = |known: &&str| distance(word, known) <= 1 + word.len() / 4 || begins(known);
    let best = known.into_iter().filter(close).min_by_key(|known| distance(word, known));
    best.map_or_else(String::new, |best| format!("; did you mean {best:?}?"))
}

/// How many letters have to be put in, taken out or changed to make one word of the other.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(MAX_WORD).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(MAX_WORD).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_meant() {
        let known = ["severity", "title", "reference"];
        assert_eq!(suggest("severty", known), "; did you mean \"severity\"?");
        assert_eq!(suggest("tilte", known), "; did you mean \"title\"?");
        assert_eq!(suggest("ref", known), "; did you mean \"reference\"?");
        assert_eq!(suggest("colour", known), "");
        assert_eq!(distance("", "abc"), 3);
    }
}
