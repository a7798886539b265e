//! What differs between two reports, as one HTML file.

use std::io::{self, Write};

use fathom_report::{Change, Difference, Incomparable, Part};

use crate::html::page::{self, escape};
use crate::words::word;

/// Writes a difference as one page that needs nothing besides itself.
pub fn html(difference: &Difference, out: &mut dyn Write) -> io::Result<()> {
    let (before, after) = (&difference.before, &difference.after);
    page::begin(&format!("{} → {}", before.name, after.name), out)?;
    let (changes, unknown) = (difference.changes.len(), difference.unknown.len());
    writeln!(out, "<p>{changes} differences; {unknown} could not be compared.</p>")?;
    page::search(out)?;
    let mut rest = difference.changes.as_slice();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|change| change.part == first.part).count();
        let (these, others) = rest.split_at(count);
        rest = others;
        part(first.part, these, out)?;
    }
    if !difference.unknown.is_empty() {
        uncompared(&difference.unknown, out)?;
    }
    page::end(&format!("{}, {}", difference.generator, difference.schema), out)
}

fn part(part: Part, changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    let name = word(&part);
    writeln!(
        out,
        "<details open>\n<summary>{name} <span>{}</span></summary>\n<div class=\"wide\">\
         <table><caption>{name}</caption>\n<thead><tr><th scope=\"col\">how</th>\
         <th scope=\"col\">what</th><th scope=\"col\">name</th><th scope=\"col\">property</th>\
         <th scope=\"col\">before</th><th scope=\"col\">after</th><th scope=\"col\">system</th>\
         </tr></thead>\n<tbody>",
        changes.len()
    )?;
    for change in changes {
        let kind = word(&change.kind);
        let shown = match &change.direction {
            Some(direction) => word(direction),
            None => kind.clone(),
        };
        let system = escape(change.system.as_deref().unwrap_or("-"));
        let head = format!(
            "<td class=\"{kind}\">{shown}</td><td>{}</td><th scope=\"row\">{}</th>",
            escape(&change.what),
            escape(&change.name)
        );
        if change.fields.is_empty() {
            writeln!(out, "<tr>{head}<td></td><td></td><td></td><td>{system}</td></tr>")?;
        }
        for field in &change.fields {
            writeln!(
                out,
                "<tr>{head}<td>{}</td><td>{}</td><td>{}</td><td>{system}</td></tr>",
                escape(&field.name),
                escape(field.before.as_deref().unwrap_or("-")),
                escape(field.after.as_deref().unwrap_or("-")),
            )?;
        }
    }
    writeln!(out, "</tbody></table></div>\n</details>")
}

fn uncompared(all: &[Incomparable], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "<details open>\n<summary>could not be compared <span>{}</span></summary>\n\
         <div class=\"wide\"><p class=\"note unknown\">One of the two or both do not know it: it \
         may differ or not.</p><table><caption>Could not be compared</caption>\n<thead><tr>\
         <th scope=\"col\">part</th><th scope=\"col\">what</th><th scope=\"col\">before</th>\
         <th scope=\"col\">after</th><th scope=\"col\">names</th></tr></thead>\n<tbody>",
        all.len()
    )?;
    for one in all {
        writeln!(
            out,
            "<tr><td>{}</td><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            word(&one.part),
            escape(&one.what),
            escape(one.before.as_deref().unwrap_or("known")),
            escape(one.after.as_deref().unwrap_or("known")),
            escape(&one.names.join(", ")),
        )?;
    }
    writeln!(out, "</tbody></table></div>\n</details>")
}
