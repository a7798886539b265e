//! Comparing machines once more.

use std::time::Duration;

use fathom_report::Report;
use fathom_store::{Store, Unmatched};

use crate::judge::Judge;

/// How many machines are compared together.
const BATCH: u32 = 64;
/// For how long nobody else compares the same.
const LEASE: Duration = Duration::from_secs(120);

/// What came of comparing machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rematched {
    /// Those for which something new is kept.
    pub judged: usize,
    /// Those that were looked at in the meantime.
    pub overtaken: usize,
    /// Those whose reports could not be read: they stay as they are, and are tried again.
    pub unread: usize,
}

/// Compares some machines of a namespace that were compared with something else; all of them, if it is
/// called until it has nothing to do. `run` computes where that does not keep others waiting.
pub async fn rematch<R, F>(
    store: &Store,
    namespace: &str,
    judge: &Judge,
    run: R,
) -> Result<Rematched, fathom_store::Error>
where
    R: FnOnce(Vec<Report>) -> F,
    F: Future<Output = Result<Vec<fathom_store::Verdict>, String>>,
{
    let due = store.unmatched(namespace, judge.with(), BATCH, LEASE).await?;
    let mut rematched = Rematched::default();
    let (mut machines, mut reports): (Vec<&Unmatched>, Vec<Report>) = (Vec::new(), Vec::new());
    for machine in &due {
        let document = store.document(&machine.report).await;
        let report = document.ok().and_then(|it| serde_json::from_slice::<Report>(&it).ok());
        match report {
            Some(report) => {
                machines.push(machine);
                reports.push(report);
            }
            None => rematched.unread += 1,
        }
    }
    if reports.is_empty() {
        return Ok(rematched);
    }
    let verdicts = run(reports)
        .await
        .map_err(|why| fathom_store::Error::new(fathom_store::ErrorKind::Internal, why))?;
    let verdicts: Vec<_> = machines.into_iter().zip(verdicts).collect();
    let counted = store.judge(namespace, &verdicts).await?;
    rematched.judged = counted.iter().filter(|it| **it).count();
    rematched.overtaken = counted.len() - rematched.judged;
    Ok(rematched)
}
