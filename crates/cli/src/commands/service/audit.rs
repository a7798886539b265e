//! `fathom audit`: what was done, and whether it was changed afterwards.

use fathom_jobs::rfc3339;
use fathom_store::Chain;
use serde_json::{Value, json};

use super::{block_on, failed, kept};
use crate::args::AuditCommand;
use crate::exit::{Failure, Verdict};
use crate::output::Out;

/// How many entries are read in one go.
const PAGE: i64 = 1000;

pub(crate) fn run(command: &AuditCommand) -> Result<Verdict, Failure> {
    let failed = |error| failed("the audit", &error);
    block_on(async {
        let mut out = Out::new();
        let verdict = match command {
            AuditCommand::Verify(options) => {
                let (_, store) = kept(options).await?;
                match store.verify_audit().await.map_err(failed)? {
                    Chain::Whole { entries, head } => {
                        out.line(format!("{entries} entries, none changed; the last is {head}"))?;
                        Verdict::Done
                    }
                    Chain::Broken { at } => {
                        out.line(format!("entry {at} was changed or is not there: nothing from it on can be relied on"))?;
                        Verdict::No
                    }
                }
            }
            AuditCommand::List(options) => {
                let (_, store) = kept(options).await?;
                let mut after = 0;
                loop {
                    let page = store.audit(after, PAGE).await.map_err(failed)?;
                    let Some(last) = page.last() else { break };
                    after = last.number;
                    for entry in page {
                        let deed: Value = serde_json::from_str(&entry.document).unwrap_or_default();
                        let line = json!({ "number": entry.number, "at": rfc3339(entry.at),
                            "deed": deed, "digest": entry.digest });
                        out.line(line.to_string())?;
                    }
                }
                Verdict::Done
            }
        };
        out.finish()?;
        Ok(verdict)
    })
}
