//! One page that needs nothing besides itself: sorted by a click, searched as one types.

use std::io::{self, Write};

use fathom_report::finding::{Findings, Severity};

use super::{COLUMNS, cells, counts, decided};
use crate::html::page::{self, escape};

/// Writes the findings of a machine as a page.
pub fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    page::begin(&format!("Flaws of {}", findings.subject), out)?;
    writeln!(out, "<p>{}.</p>", escape(&counts(findings).join("; ")))?;
    page::search(out)?;
    for note in &findings.notes {
        let (kind, message) = (note.kind.name(), escape(&note.message));
        writeln!(out, "<p class=\"note unknown\">{kind}: {message}</p>")?;
    }
    let severities = [
        Some(Severity::Critical),
        Some(Severity::High),
        Some(Severity::Medium),
        Some(Severity::Low),
        Some(Severity::Negligible),
        None,
    ];
    for severity in severities {
        table(findings, severity, out)?;
    }
    told_apart(findings, out)?;
    page::end(&format!("{}, {}", findings.generator, findings.schema), out)
}

fn table(findings: &Findings, severity: Option<Severity>, out: &mut dyn Write) -> io::Result<()> {
    let of_severity = || findings.vulnerabilities.iter().filter(|it| it.severity == severity);
    let count = of_severity().count();
    if count == 0 {
        return Ok(());
    }
    let name = severity.map_or("unrated", Severity::name);
    let is_open = if severity >= Some(Severity::High) { " open" } else { "" };
    write!(
        out,
        "<details{is_open}>\n<summary>{name} <span>{count}</span></summary>\n<div class=\"wide\">\
         <table><caption>{name}</caption>\n<thead><tr>"
    )?;
    for column in COLUMNS {
        write!(out, "<th scope=\"col\">{column}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for finding in of_severity() {
        out.write_all(b"<tr>")?;
        for (index, cell) in cells(finding).iter().enumerate() {
            match index {
                0 => write!(out, "<th scope=\"row\">{}</th>", escape(cell))?,
                _ => write!(out, "<td>{}</td>", escape(cell))?,
            }
        }
        out.write_all(b"</tr>\n")?;
    }
    writeln!(out, "</tbody></table></div>\n</details>")
}

/// What somebody has decided about.
fn told_apart(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let count = findings.excepted.len();
    if count == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "<details>\n<summary>told apart <span>{count}</span></summary>\n<div class=\"wide\">\
         <table><caption>told apart</caption>\n<thead><tr><th scope=\"col\">flaw</th>\
         <th scope=\"col\">package</th><th scope=\"col\">installed</th>\
         <th scope=\"col\">what was decided</th></tr></thead>\n<tbody>"
    )?;
    for excepted in &findings.excepted {
        let finding = &excepted.finding;
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&finding.cve_id),
            escape(&finding.package),
            escape(&finding.installed_version),
            escape(&decided(excepted)),
        )?;
    }
    writeln!(out, "</tbody></table></div>\n</details>")
}
