//! Weights of risk, out of a file.

use std::path::Path;

use fathom_advisory::risk::Weights;

use crate::exit::Failure;

/// The largest file that is read.
const MOST: u64 = 64 << 10;

/// The weights in a file; what it does not name is as by default.
pub(super) fn read(path: &Path) -> Result<Weights, Failure> {
    let shown = path.display().to_string();
    let size = std::fs::metadata(path).map_err(Failure::reading(shown.clone()))?.len();
    if size > MOST {
        return Err(Failure::Usage(format!("{shown}: it has more than {MOST} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(Failure::reading(shown.clone()))?;
    parse(&text).map_err(|why| Failure::Usage(format!("{shown}: {why}")))
}

fn parse(text: &str) -> Result<Weights, String> {
    let weights: Weights = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            let before = text.get(..span.start).unwrap_or(text);
            before.matches('\n').count() + 1
        });
        format!("line {line}: {}", error.message())
    })?;
    match weights.fault() {
        Some(fault) => Err(fault),
        None => Ok(weights),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_with_care() {
        assert_eq!(parse(""), Ok(Weights::default()));
        let of = parse("# ours\nservice = 0.5\nother = 1\n").unwrap();
        assert_eq!((of.service, of.other, of.kernel), (0.5, 1.0, 1.0));
        for (text, part) in [
            ("servise = 0.5", "line 1: unknown field `servise`"),
            ("\nother = \"x\"", "line 2: "),
            ("other = 1.5", "other is 1.5, and must be from 0 to 1"),
            ("other = nan", "other is NaN"),
            ("other = inf", "other is inf"),
            ("other = -0.1", "other is -0.1"),
            ("other", "line 1: "),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
