//! The operations on machines: `inspect`, `scan`, `profile`, `checksum` and `diff`.
//!
//! Each is a [`Handler`] that reads its [`payload`], has images read in a confined child ([`look`]), and
//! computes the rest on a thread that may block; what it gives is written elsewhere too where a job
//! asks for that ([`written`]). What makes no sense is refused before a job is taken ([`check`]), and
//! again by the worker, since jobs come from elsewhere too.

mod advisories;
mod checksum;
mod diff;
mod inspect;
mod kept;
mod look;
mod meters;
mod outlets;
mod output;
mod payload;
mod profile;
mod render;
mod scan;
mod sections;
mod written;

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fathom_advisory::Database;
use fathom_fleet::{Advisories, Judge};
use fathom_jobs::{Metrics, Operation, Refusal, RefusalCode};
use fathom_report::finding::Findings;
use fathom_report::{Day, Report};
use fathom_store::{Store, Verdict};
use prometheus_client::registry::Registry;
use serde_json::Value;

use self::meters::Meters;
pub use self::outlets::Outlets;
use self::output::Wanted;
use self::payload::{Fields, Subject, Wrong};
use self::written::WrittenBy;
use crate::handler::{Handler, Handlers, Task, Trouble};
use crate::image::{Image, Images, Roots};

/// Who made a document.
const GENERATOR: &str = concat!("fathom ", env!("CARGO_PKG_VERSION"));

/// The images that a job names, and by which members.
type Asked = Vec<(String, Vec<Image>)>;

/// What the operations have in common.
#[derive(Debug)]
pub struct Tools {
    images: Arc<Images>,
    advisories: Option<(Arc<Advisories>, Meters)>,
    store: Option<Store>,
    outlets: Arc<Outlets>,
}

impl Tools {
    /// Reads images by `images`, and looks flaws up in `advisories`, unless nobody is to look for them.
    /// `registry` tells what is counted of it.
    pub fn new(
        images: Arc<Images>,
        advisories: Option<Arc<Advisories>>,
        registry: &mut Registry,
    ) -> Self {
        registry.register(
            "fathom_checksum_verifications",
            "Times that bytes were compared with the checksum that came with them, by whether it fits",
            images.verifications().0.clone(),
        );
        let advisories = advisories.map(|advisories| {
            let meters = Meters::register(registry, &advisories);
            (advisories, meters)
        });
        Self { images, advisories, store: None, outlets: Arc::default() }
    }

    /// What is found of machines is kept there, too.
    #[must_use]
    pub fn keeping(self, store: Store) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Lets results be written there.
    #[must_use]
    pub fn outlets(self, outlets: Arc<Outlets>) -> Self {
        Self { outlets, ..self }
    }

    async fn database(&self) -> Result<Arc<Database>, Trouble> {
        let Some((advisories, _)) = &self.advisories else {
            return Err(advisories::switched_off());
        };
        let advisories = Arc::clone(advisories);
        look::compute(move || advisories.open().map_err(self::advisories::none)).await
    }

    /// What is known to be wrong with the machine of a report, and what is kept of that.
    fn judged(&self, judge: &Judge, report: &Report) -> Result<(Findings, Verdict), Trouble> {
        let began = Instant::now();
        let judged = kept::judged(judge, report);
        if let Some((_, meters)) = &self.advisories {
            let found = judged.as_ref().ok().map(|(findings, _)| &findings.summary);
            meters.note(began.elapsed(), found);
        }
        judged
    }

    /// The report on what a job is about.
    async fn report(
        &self,
        task: &Task,
        subject: Subject,
        deep: bool,
    ) -> Result<(Report, Option<Metrics>), Trouble> {
        match subject {
            Subject::Report(report) => Ok((*report, None)),
            Subject::Images(_, images) => {
                let seen = look::machine(task, &self.images, images, deep).await?;
                Ok((seen.report, Some(seen.metrics)))
            }
        }
    }
}

impl Subject {
    fn asked(self) -> Option<(String, Vec<Image>)> {
        match self {
            Self::Images(field, images) => Some((field, images)),
            Self::Report(_) => None,
        }
    }
}

/// The handlers of all operations on machines; of `scan` only where flaws are to be looked for.
pub fn handlers(tools: Tools) -> Handlers {
    let tools = Arc::new(tools);
    let handlers = Handlers::default()
        .with(writing(&tools, inspect::Inspect(Arc::clone(&tools))))
        .with(writing(&tools, profile::Profiles(Arc::clone(&tools))))
        .with(writing(&tools, checksum::Checksums(Arc::clone(&tools))))
        .with(writing(&tools, diff::Diff(Arc::clone(&tools))));
    match tools.advisories {
        Some(_) => handlers.with(writing(&tools, scan::Scan(Arc::clone(&tools)))),
        None => handlers,
    }
}

fn writing<H: Handler>(tools: &Arc<Tools>, handler: H) -> WrittenBy<H> {
    WrittenBy { handler, tools: Arc::clone(tools) }
}

/// Looks at what a job is about before it is taken: its form, where its images lie and where its result
/// is to go, by the text alone. Nothing is opened.
pub fn check(
    roots: Arc<Roots>,
    outlets: Arc<Outlets>,
) -> impl Fn(Operation, &Value) -> Result<(), Refusal> {
    move |operation, data| checked(operation, data, Some((&roots, &outlets)))
}

/// The same where other hosts have the images, so that nothing is known of where they may lie.
pub fn check_form(operation: Operation, data: &Value) -> Result<(), Refusal> {
    checked(operation, data, None)
}

fn checked(
    operation: Operation,
    data: &Value,
    places: Option<(&Roots, &Outlets)>,
) -> Result<(), Refusal> {
    let refuse = |why: String| Refusal::new(RefusalCode::Invalid, why);
    for (field, images) in asked(operation, data).map_err(refuse)? {
        crate::image::check(&images, places.map(|(roots, _)| roots))
            .map_err(|refusal| refuse(format!("{field}: {}", refusal.message)))?;
    }
    if operation == Operation::Echo {
        return Ok(());
    }
    let wanted = Fields::of(data).and_then(|fields| Wanted::of(&fields, operation));
    if let (Some(wanted), Some((_, outlets))) = (wanted.map_err(refuse)?, places) {
        outlets
            .check(&wanted.destination)
            .map_err(|why| refuse(format!("output.destination: {why}")))?;
    }
    Ok(())
}

fn asked(operation: Operation, data: &Value) -> Result<Asked, Wrong> {
    match operation {
        Operation::Inspect => inspect::Request::of(data).map(inspect::Request::asked),
        Operation::Scan => scan::Request::of(data).map(scan::Request::asked),
        Operation::Profile => profile::Request::of(data).map(profile::Request::asked),
        Operation::Checksum => checksum::Request::of(data).map(checksum::Request::asked),
        Operation::Diff => diff::Request::of(data).map(diff::Request::asked),
        Operation::Echo => Ok(Vec::new()),
    }
}

/// The day that ends of life and ages are judged by.
fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Day::of_seconds(since.map_or(0, |since| since.as_secs()))
}
