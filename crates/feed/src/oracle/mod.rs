//! Oracle Linux: its errata as OVAL, one document with all of them.
//!
//! OVAL says by which tests one finds out whether an erratum applies. What these tests are, their
//! comments say, always in the same words; what the words say is put together along the operators
//! between them ([`criteria`]).

mod criteria;

use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::State;
use fathom_version::Scheme;

use self::criteria::{Criteria, Operator};
use crate::ecosystem::is_run;
use crate::error::Result;
use crate::known::{Known, add};
use crate::severity::severity;
use crate::tally;
use crate::xml::{Element, Handler, append, walk_all};

/// The most that is kept of a text of an erratum.
const TEXT: usize = 256 << 10;

/// The most flaws, places to read more, and tests that one erratum may have.
const MOST: usize = 1 << 16;

/// Adds all errata of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut reading = Errata { writer, known: Known::default(), erratum: Erratum::default() };
    let changed = walk_all(path, &mut reading)?;
    tally::file_changed(reading.writer.about(), changed);
    Ok(())
}

/// An erratum, as far as it was read.
#[derive(Default)]
struct Erratum {
    title: String,
    description: String,
    severity: String,
    issued: Day,
    /// The flaw whose name is being read.
    cve: String,
    cves: Vec<Cve>,
    page: Option<String>,
    /// The criteria that are being read, the outermost first.
    open: Vec<Criteria>,
    criteria: Option<Criteria>,
    /// How many tests there are.
    tests: usize,
    /// Why it makes no sense, if it does not.
    wrong: Option<&'static str>,
}

struct Errata<'w> {
    writer: &'w mut Writer,
    known: Known,
    erratum: Erratum,
}

impl Handler for Errata<'_> {
    fn is_wanted(&self, path: &[&str]) -> bool {
        // What the tests refer to takes most of the document, and says what their comments say.
        !matches!(path, [_, "tests" | "objects" | "states" | "variables"])
    }

    fn start(&mut self, path: &[&str], element: &Element<'_>) -> Result<()> {
        let erratum = &mut self.erratum;
        match path {
            [_, "definitions", "definition"] => *erratum = Erratum::default(),
            [_, _, "definition", "metadata", "reference"] => erratum.reference(element),
            [_, _, "definition", "metadata", "advisory", "issued"] => {
                erratum.issued = Day::of(&element.attribute("date").unwrap_or_default());
            }
            [_, _, "definition", .., "criteria"] => erratum.begin(element),
            [_, _, "definition", .., "criterion"] => erratum.test(element),
            [_, _, "definition", .., "extend_definition"] => {
                erratum.wrong = Some("rests on another definition");
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, path: &[&str], text: &str) {
        let erratum = &mut self.erratum;
        let kept = match path {
            [_, _, "definition", "metadata", "title"] => &mut erratum.title,
            [_, _, "definition", "metadata", "description"] => &mut erratum.description,
            [_, _, "definition", "metadata", "advisory", "severity"] => &mut erratum.severity,
            [_, _, "definition", "metadata", "advisory", "cve"] => &mut erratum.cve,
            _ => return,
        };
        append(kept, text, TEXT);
    }

    fn end(&mut self, path: &[&str]) -> Result<()> {
        match path {
            [_, "definitions", "definition"] => self.add()?,
            [_, _, "definition", "metadata", "advisory", "cve"] => {
                let name = std::mem::take(&mut self.erratum.cve);
                self.erratum.flaw(&name);
            }
            [_, _, "definition", .., "criteria"] => self.erratum.end(),
            _ => {}
        }
        Ok(())
    }
}

impl Erratum {
    fn reference(&mut self, element: &Element<'_>) {
        let name = element.attribute("ref_id").unwrap_or_default();
        match element.attribute("source").as_deref() {
            Some("CVE") => self.flaw(&name),
            Some("elsa") => self.page = element.attribute("ref_url"),
            _ => {}
        }
    }

    fn flaw(&mut self, name: &str) {
        match name.trim().parse() {
            Ok(_) if self.cves.len() >= MOST => self.wrong = Some("is about more flaws than any"),
            Ok(cve) => self.cves.push(cve),
            Err(_) => self.wrong = Some("names what is no number of the CVE list"),
        }
    }

    fn begin(&mut self, element: &Element<'_>) {
        let operator = match element.attribute("operator").as_deref() {
            // By the schema, what has none is all of them.
            Some("AND") | None => Operator::All,
            Some("OR") => Operator::Any,
            Some(_) => Operator::Unknown,
        };
        self.open.push(Criteria::of(operator, is_negated(element)));
    }

    fn test(&mut self, element: &Element<'_>) {
        self.tests += 1;
        if self.tests > MOST {
            self.wrong = Some("has more tests than any");
            return;
        }
        let comment = element.attribute("comment").unwrap_or_default();
        if let Some(criteria) = self.open.last_mut() {
            criteria.add_test(&comment, is_negated(element));
        }
    }

    fn end(&mut self) {
        let Some(ended) = self.open.pop() else { return };
        match self.open.last_mut() {
            Some(outer) => outer.add(ended),
            None => self.criteria = Some(ended),
        }
    }

    /// Its name: `ELSA-2021-1206` of `ELSA-2021-1206:  gnutls and nettle security update (IMPORTANT)`.
    fn name(&self) -> &str {
        self.title.split(':').next().unwrap_or_default().trim()
    }
}

fn is_negated(element: &Element<'_>) -> bool {
    element.attribute("negate").is_some_and(|it| it == "true" || it == "1")
}

impl Errata<'_> {
    fn add(&mut self) -> Result<()> {
        let mut erratum = std::mem::take(&mut self.erratum);
        let name = erratum.name().to_owned();
        if let Some(why) = erratum.wrong {
            tally::malformed(self.writer.about(), &name, why);
        }
        if !name.starts_with("EL") {
            tally::malformed(self.writer.about(), &name, "has no title that names it");
            return Ok(());
        }
        tally::changed(self.writer.about(), erratum.issued);
        // What was mended for other reasons than flaws says nothing here.
        let Some(criteria) = erratum.criteria.take().filter(|_| !erratum.cves.is_empty()) else {
            return Ok(());
        };
        let (fixes, unclear) = criteria.fixes();
        if let Some(why) = unclear {
            tally::malformed(self.writer.about(), &name, why);
        }
        erratum.cves.sort_unstable();
        erratum.cves.dedup();
        let title = erratum.title.split_once(':').map_or("", |(_, rest)| rest).trim();
        let advisory = NewAdvisory {
            name: &name,
            cves: &erratum.cves,
            severity: severity(erratum.severity.trim()),
            published: erratum.issued,
            texts: Texts {
                summary: title.to_owned(),
                details: erratum.description.trim().to_owned(),
                references: erratum.page.into_iter().collect(),
            },
            ..NewAdvisory::default()
        };
        let Some(id) = self.known.get(&advisory, self.writer)? else { return Ok(()) };
        for fix in fixes.iter().filter(|fix| is_run(fix.package)) {
            let statement = Statement {
                namespace: &format!("Oracle Linux:{}", fix.release),
                scheme: Scheme::Rpm,
                subject: Subject::Installed,
                name: fix.package,
                lower: None,
                upper: Some(Upper::Before(fix.version)),
                state: State::Fixed,
                severity: None,
                qualifier: fix.module,
            };
            add(id, &name, &statement, self.writer);
        }
        Ok(())
    }
}
