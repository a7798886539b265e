//! Which updates of Microsoft's mend which flaws in what, and which updates replace each other: the
//! definitions that WES-NG publishes, a table in an archive.

use std::collections::BTreeMap;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use crate::error::{Error, Result};
use crate::severity::severity;
use crate::{source, tally};

/// The columns that are read, by their names.
const COLUMNS: [&str; 9] = [
    "DatePosted",
    "CVE",
    "BulletinKB",
    "Title",
    "AffectedProduct",
    "AffectedComponent",
    "Severity",
    "Supersedes",
    "Exploits",
];

/// What is known of a flaw.
#[derive(Default)]
struct Flaw {
    title: String,
    posted: Day,
    severity: Option<Severity>,
    exploits: Vec<String>,
    mends: Vec<Mend>,
}

/// That an update mends it in a product.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mend {
    product: u32,
    component: u32,
    update: u32,
}

/// Names that are kept once.
#[derive(Default)]
struct Names(BTreeMap<String, u32>);

impl Names {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.0.get(name) {
            return *place;
        }
        let place = self.0.len() as u32;
        self.0.insert(name.to_owned(), place);
        place
    }

    fn by_place(&self) -> Vec<&str> {
        let mut names: Vec<_> =
            self.0.iter().map(|(name, place)| (*place, name.as_str())).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }
}

/// Adds all tables of the archive that say what mends flaws.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut flaws: BTreeMap<String, Flaw> = BTreeMap::new();
    let mut names = Names::default();
    let is_table = |name: &str| name.starts_with("CVEs_") && name.ends_with(".csv");
    let mut tables = 0;
    source::entries(path, &is_table, &mut |entry, stream| {
        tables += 1;
        // CVEs_20260628.csv
        let day = posted(entry.name.strip_prefix("CVEs_").unwrap_or_default());
        if day.is_known() {
            writer.about().as_of = day.to_string();
        }
        table(entry.name, stream, &mut flaws, &mut names, writer)
    })?;
    if tables == 0 {
        let why = "has no table CVEs_….csv".to_owned();
        return Err(Error::Malformed(path.display().to_string(), why));
    }
    let names = names.by_place();
    for (name, flaw) in flaws {
        add(&name, flaw, &names, writer)?;
    }
    Ok(())
}

fn table(
    name: &str,
    stream: &mut dyn std::io::BufRead,
    flaws: &mut BTreeMap<String, Flaw>,
    names: &mut Names,
    writer: &mut Writer,
) -> Result<()> {
    let malformed = |why: String| Error::Malformed(name.to_owned(), why);
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(stream);
    let heads = table.byte_headers().map_err(|error| malformed(error.to_string()))?.clone();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = heads.iter().position(|head| head == column.as_bytes());
        *place = found.ok_or_else(|| malformed(format!("has no column {column}")))?;
    }
    let mut row = csv::ByteRecord::new();
    for number in 2_u64.. {
        match table.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(malformed(error.to_string())),
        }
        let field = |index: usize| {
            String::from_utf8_lossy(row.get(places[index]).unwrap_or_default()).trim().to_owned()
        };
        let (cve, update, product) = (field(1), field(2), field(4));
        for old in field(7).split([';', ',']).filter_map(|it| it.trim().parse().ok()) {
            if let Ok(new) = update.parse() {
                writer.replaced(old, new);
            }
        }
        // Bulletins have no number of the CVE list, or the word alone in its place, and what is about no
        // update of a Windows cannot be compared with those that are installed.
        let component = field(5);
        let is_compared = is_system(&product) && !is_dot_net(&component);
        if matches!(cve.as_str(), "" | "CVE") || update.is_empty() || !is_compared {
            continue;
        }
        let Some(update) = update.parse().ok().filter(|_| is_flaw(&cve)) else {
            tally::malformed(writer.about(), &format!("line {number}"), "is no flaw and update");
            continue;
        };
        let flaw = flaws.entry(cve).or_default();
        if flaw.title.is_empty() {
            flaw.title = field(3);
            flaw.posted = posted(&field(0));
        }
        flaw.severity = flaw.severity.max(severity(&field(6)));
        for exploit in field(8).split_whitespace() {
            if !flaw.exploits.iter().any(|known| known == exploit) && flaw.exploits.len() < 20 {
                flaw.exploits.push(exploit.to_owned());
            }
        }
        let mend =
            Mend { product: names.place(&product), component: names.place(&component), update };
        flaw.mends.push(mend);
    }
    Ok(())
}

/// Whether it is the name of a flaw: its number in the CVE list, or that of Microsoft's advisory on a
/// flaw of others, as `ADV180002`.
fn is_flaw(name: &str) -> bool {
    let digits = name.strip_prefix("ADV").filter(|it| it.len() == 6);
    digits.is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit())) || name.parse::<Cve>().is_ok()
}

/// Whether the product is a Windows itself.
pub(crate) fn is_system(product: &str) -> bool {
    let systems =
        ["Windows 1", "Windows 7", "Windows 8", "Windows Server", "Windows Vista", "Windows RT"];
    systems.iter().any(|system| product.starts_with(system)) && !product.contains(" HLK ")
}

/// Whether the component is a .NET, of which several are installed side by side and each has updates of
/// its own.
fn is_dot_net(component: &str) -> bool {
    component.contains(".NET")
}

/// The day that the text begins with, as `20240213`.
fn posted(text: &str) -> Day {
    match (text.get(..4), text.get(4..6), text.get(6..8)) {
        (Some(year), Some(month), Some(day)) => Day::of(&format!("{year}-{month}-{day}")),
        _ => Day::default(),
    }
}

fn add(name: &str, mut flaw: Flaw, names: &[&str], writer: &mut Writer) -> Result<()> {
    let cve: Option<Cve> = name.parse().ok();
    let advisory = NewAdvisory {
        name,
        cves: cve.as_slice(),
        severity: flaw.severity,
        published: flaw.posted,
        has_exploit: !flaw.exploits.is_empty(),
        texts: Texts { summary: flaw.title, details: String::new(), references: flaw.exploits },
        ..NewAdvisory::default()
    };
    let id = match writer.advisory(&advisory)? {
        Ok(id) => id,
        Err(refused) => {
            tally::malformed(writer.about(), name, refused.0);
            return Ok(());
        }
    };
    flaw.mends.sort_unstable();
    flaw.mends.dedup();
    let named = |place: u32| names.get(place as usize).copied().unwrap_or_default();
    for mend in &flaw.mends {
        let update = format!("KB{}", mend.update);
        let statement = Statement {
            namespace: &format!("Windows:{}", named(mend.product)),
            scheme: Scheme::Windows,
            subject: Subject::Installed,
            name: match named(mend.component) {
                "" => "Windows",
                component => component,
            },
            lower: None,
            upper: None::<Upper<'_>>,
            state: State::Fixed,
            severity: None,
            qualifier: Some(&update),
        };
        if let Err(refused) = writer.statement(id, &statement) {
            tally::malformed(writer.about(), name, refused.0);
        }
    }
    Ok(())
}
