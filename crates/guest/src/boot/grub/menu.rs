//! Which entry of the menu is started when nobody chooses.

use super::evaluate::{Evaluator, Item, Start, Value, What};
use crate::boot::entry::Entry;
use crate::boot::snippet::Snippet;

const LOADER: &str = "grub";

/// How deep menus may lie in each other.
const MAX_DEPTH: usize = 8;

/// The longest line of an entry that is filled in.
const MAX_LINE: usize = 64 << 10;

/// The entry, nothing where the menu is empty, or why it is not known.
pub(super) fn chosen(evaluator: &mut Evaluator<'_>) -> Result<Option<Entry>, String> {
    for _ in 0..MAX_DEPTH {
        if evaluator.menu.is_empty() {
            // A script may start something without a menu.
            return match std::mem::take(&mut evaluator.start) {
                Start { image: None, .. } => Ok(None),
                start => entry(evaluator, None, start).map(Some),
            };
        }
        let default = evaluator.get("default").map_err(|why| format!("$default: {why}"))?;
        let (head, rest) = split(&default);
        let item = pick(&evaluator.menu, &head)?.clone();
        let title = item.title.clone().ok();
        evaluator.start = Start::default();
        evaluator.stopped = false;
        match item.what {
            What::Submenu(script) => {
                evaluator.menu.clear();
                evaluator.set("default", Ok(rest));
                evaluator.run(&script);
            }
            What::Entry(script) => {
                evaluator.menu.clear();
                evaluator.set("chosen", Ok(default));
                evaluator.run(&script);
                let start = std::mem::take(&mut evaluator.start);
                if start.image.is_none() && !evaluator.menu.is_empty() {
                    // It leads on to another menu.
                    continue;
                }
                return entry(evaluator, title, start).map(Some);
            }
            What::Snippet(snippet) => return of_snippet(evaluator, title, &snippet).map(Some),
            What::Hidden => return Err("a part of the menu could not be read".to_owned()),
        }
    }
    Err(format!("menus lie more than {MAX_DEPTH} deep in each other"))
}

/// The part before a single `>`, in which two of them stand for one, and the part behind it.
fn split(default: &str) -> (String, String) {
    let mut head = String::new();
    let mut rest = default.chars();
    while let Some(character) = rest.next() {
        if character == '>' {
            let behind = rest.as_str();
            match behind.strip_prefix('>') {
                Some(further) => rest = further.chars(),
                None => return (head, behind.to_owned()),
            }
        }
        head.push(character);
    }
    (head, String::new())
}

/// The entry of that number, title or id; the first where there is none.
fn pick<'m>(menu: &'m [Item], wanted: &str) -> Result<&'m Item, String> {
    let unsure =
        |item: &Item| item.unsure.clone().unwrap_or_else(|| "the menu is not known".to_owned());
    let numbered = |number: usize| {
        // What may not be there moves all that follow.
        match menu.iter().take(number + 1).find(|item| item.unsure.is_some()) {
            Some(item) => Err(format!("entry {number} of the menu is not sure: {}", unsure(item))),
            None => Ok(menu.get(number)),
        }
    };
    let first = || match numbered(0)? {
        Some(item) => Ok(item),
        None => Err("the menu is empty".to_owned()),
    };
    if wanted.is_empty() {
        return first();
    }
    if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number past the end is as good as none.
        let number = wanted.parse::<usize>().unwrap_or(usize::MAX).min(menu.len());
        return match numbered(number)? {
            Some(item) => Ok(item),
            None => first(),
        };
    }
    for item in menu {
        let is_it = |value: &Value| value.as_deref().map(|text| text == wanted).ok();
        let by_title = is_it(&item.title);
        let by_id = item.id.as_ref().map_or(Some(false), is_it);
        match (by_title, by_id) {
            (Some(true), _) | (_, Some(true)) if item.unsure.is_none() => return Ok(item),
            (Some(false), Some(false)) => {}
            _ => {
                return Err(format!(
                    "{wanted:?} may be an entry that is not sure: {}",
                    unsure(item)
                ));
            }
        }
    }
    if wanted.starts_with(|first: char| first.is_ascii_digit()) {
        // GRUB before 2.12 takes the digits for a number, later versions do not.
        return Err(format!("no entry is called {wanted:?}, which begins as a number does"));
    }
    first()
}

fn entry(evaluator: &Evaluator<'_>, title: Option<String>, start: Start) -> Result<Entry, String> {
    if let Some(why) = start.unsure {
        return Err(format!("what the entry starts is not sure: {why}"));
    }
    let locate = |value: Value| evaluator.locate_or_keep(&value?);
    let initramfs: Result<Vec<_>, String> = start.initramfs.into_iter().map(locate).collect();
    Ok(Entry {
        loader: LOADER,
        title,
        image: start.image.map(locate).transpose()?,
        initramfs: initramfs?,
        arguments: start.arguments.and_then(Result::ok).filter(|text| !text.is_empty()),
    })
}

/// What an entry of the Boot Loader Specification starts. GRUB fills in its variables.
fn of_snippet(
    evaluator: &Evaluator<'_>,
    title: Option<String>,
    snippet: &Snippet,
) -> Result<Entry, String> {
    let path = snippet.get("linux").or_else(|| snippet.get("efi"));
    let path = path.ok_or_else(|| format!("{} names no kernel", snippet.id))?;
    let path = filled(evaluator, path)?;
    let mut initramfs = Vec::new();
    for line in snippet.all("initrd") {
        for path in filled(evaluator, line)?.split_whitespace() {
            initramfs.push(evaluator.ground.locate(None, path));
        }
    }
    let options: Vec<&str> = snippet.all("options").collect();
    let arguments = match options.as_slice() {
        [] => evaluator.get("default_kernelopts"),
        options => filled(evaluator, &options.join(" ")),
    };
    Ok(Entry {
        loader: LOADER,
        title,
        image: Some(evaluator.ground.locate(None, &path)),
        initramfs,
        arguments: arguments.ok().map(|text| text.trim().to_owned()).filter(|it| !it.is_empty()),
    })
}

/// The line with its variables filled in.
fn filled(evaluator: &Evaluator<'_>, line: &str) -> Value {
    let mut text = String::new();
    let mut parts = line.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|next: char| !next.is_ascii_alphanumeric() && next != '_');
        let (name, rest) = part.split_at(end.unwrap_or(part.len()));
        match name {
            "" => text.push('$'),
            name => text.push_str(&evaluator.get(name)?),
        }
        text.push_str(rest);
        if text.len() > MAX_LINE {
            return Err(format!("a line is longer than {MAX_LINE} bytes"));
        }
    }
    Ok(text)
}
