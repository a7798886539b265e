//! Lists as tables of a page.

use std::io::{self, Write};

use fathom_report::Coverage;

use super::page::escape;
use crate::view::{Column, List, Sink, Value};

/// Lists as tables.
pub(crate) struct Tables<'a> {
    out: &'a mut dyn Write,
    columns: &'static [Column],
    title: &'static str,
    facts: bool,
    rows: usize,
    /// Whether it has been said already why there are none.
    said: bool,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, columns: &[], title: "", facts: false, rows: 0, said: false }
    }

    /// The beginning of a table, once there is a row for it.
    fn head(&mut self) -> io::Result<()> {
        write!(
            self.out,
            "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{0}\"><table>\
             <caption>{0}</caption>\n<thead><tr>",
            self.title
        )?;
        for column in self.columns {
            let class = if column.number { " class=\"number\"" } else { "" };
            write!(self.out, "<th scope=\"col\"{class}>{}</th>", column.name)?;
        }
        self.out.write_all(b"</tr></thead>\n<tbody>\n")
    }
}

impl Sink for Tables<'_> {
    fn begin(&mut self, list: &List<'_>) -> io::Result<()> {
        self.columns = list.columns;
        self.title = list.title;
        self.facts = list.facts;
        self.rows = 0;
        self.said = list.coverage != Coverage::Complete || list.reason.is_some();
        let reason = escape(list.reason.unwrap_or("some could not be read"));
        let title = list.title;
        match (list.coverage, list.reason) {
            (Coverage::Complete, None) => Ok(()),
            (Coverage::Complete, Some(_)) => {
                writeln!(self.out, "<p class=\"note\">{title}: {reason}</p>")
            }
            (Coverage::Partial, _) => writeln!(
                self.out,
                "<p class=\"note partial\">{title}: not complete, there may be more. {reason}</p>"
            ),
            (Coverage::Unknown, _) => {
                writeln!(self.out, "<p class=\"note unknown\">{title}: unknown. {reason}</p>")
            }
        }
    }

    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        if self.rows == 0 {
            self.head()?;
        }
        self.rows += 1;
        self.out.write_all(b"<tr>")?;
        for (index, (value, column)) in values.iter().zip(self.columns).enumerate() {
            cell(value, column, self.facts && index == 0, self.out)?;
        }
        self.out.write_all(b"</tr>\n")
    }

    fn end(&mut self) -> io::Result<()> {
        match self.rows {
            0 if self.said => Ok(()),
            0 => writeln!(self.out, "<p class=\"absent\">{}: no entries.</p>", self.title),
            _ => writeln!(self.out, "</tbody></table></div>"),
        }
    }
}

/// Words that stand out. Colour only repeats what the word says.
const MARKED: [&str; 4] = ["critical", "warning", "fail", "pass"];

fn cell(value: &Value<'_>, column: &Column, head: bool, out: &mut dyn Write) -> io::Result<()> {
    if head {
        return write!(out, "<th scope=\"row\">{}</th>", escape(&value.shown()));
    }
    let shown = escape(&value.shown());
    let percent = shown.strip_suffix('%').and_then(|number| number.parse::<u8>().ok());
    if let (Some(percent), "use") = (percent, column.name) {
        let meter = "<meter min=\"0\" max=\"100\" low=\"80\" high=\"90\" optimum=\"0\" value";
        return write!(out, "<td class=\"number\">{meter}=\"{percent}\"></meter> {shown}</td>");
    }
    let class = match value {
        Value::Absent => "absent",
        Value::Unknown(_) => "unknown",
        _ if column.number => "number",
        Value::Text(text) => {
            let found = MARKED.iter().find(|word| text.eq_ignore_ascii_case(word));
            found.copied().unwrap_or_default()
        }
        _ => "",
    };
    match class {
        "" => write!(out, "<td>{shown}</td>"),
        class => write!(out, "<td class=\"{class}\">{shown}</td>"),
    }
}
