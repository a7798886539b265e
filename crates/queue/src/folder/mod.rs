//! A watched folder.
//!
//! Others put a file `NAME.json` into it, by renaming it there from a name that does not end in
//! `.json`; one that is written in place is taken when it is whole. The default pool is the folder
//! itself, every other pool a folder of its name within. In the folder of a pool:
//!
//! | folder | holds |
//! |---|---|
//! | `queue` | our tickets, and what has come back |
//! | `later` | what was given back and is not due yet |
//! | `taken/CONSUMER` | what a consumer holds |
//! | `done` | files of others that are done with |
//! | `failed` | dead letters, each with a `NAME.reason.json` |
//!
//! All that happens to a file happens by renaming it, which the kernel grants to one of those who
//! try. A consumer holds a lock on a file in its folder; when it dies the kernel lets go of that, and
//! whoever sees it takes back what lies there.

mod abandoned;
mod incoming;
mod letters;
mod name;
mod place;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::{
    Body, Buried, Delivery, Error, Kind, Receipt, Result, Settings, Ticket, Transport, message,
};
use abandoned::Held;
use incoming::Seen;
use name::Name;
use place::{Place, failed};

/// The first pause between two looks, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often we look for what dead consumers have left.
const REVIVE: Duration = Duration::from_secs(1);
/// From so many files on, all that is not written yet of the whole filesystem is written at once.
const MANY: usize = 8;

/// Messages in files.
pub(crate) struct Folder {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Our locks, by pool.
    held: HashMap<String, Held>,
    /// Files that were not whole when we last looked.
    seen: HashMap<std::path::PathBuf, Seen>,
    revived: Option<Instant>,
}

impl Folder {
    pub(crate) async fn open(settings: &Settings) -> Result<Folder> {
        let shared = Shared { settings: settings.clone(), state: Mutex::new(State::default()) };
        let folder = Folder { shared: Arc::new(shared) };
        folder.check().await?;
        Ok(folder)
    }

    /// Files are read and written in a thread that may wait for the disk.
    async fn away<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || run(&shared))
            .await
            .unwrap_or_else(|error| Err(Error::with(Kind::Lost, "a thread has ended", error)))
    }
}

#[async_trait]
impl Transport for Folder {
    fn name(&self) -> &'static str {
        "folder"
    }

    async fn publish(&self, tickets: &[Ticket]) -> Result<()> {
        let tickets = tickets.to_vec();
        self.away(move |shared| shared.publish(&tickets)).await
    }

    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let most = most.min(usize::from(self.shared.settings.prefetch));
        let until = Instant::now() + wait;
        let mut pause = FIRST_PAUSE;
        if most == 0 {
            return Ok(Vec::new());
        }
        loop {
            let found = self.away(move |shared| shared.take(most)).await?;
            let left = until.saturating_duration_since(Instant::now());
            if !found.is_empty() || left.is_zero() {
                return Ok(found);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<()> {
        self.away(move |shared| receipts.iter().try_for_each(|receipt| shared.finish(receipt)))
            .await
    }

    async fn give_back(&self, deliveries: Vec<Delivery>, after: Duration) -> Result<()> {
        self.away(move |shared| {
            deliveries.iter().try_for_each(|delivery| {
                let (place, name) = shared.held(&delivery.receipt)?;
                let due = name::now() + after.as_nanos();
                let from = place.taken(&shared.settings.consumer).join(name.text());
                place::rename(&from, &place.later().join(format!("{due:020}-{}", name.text())))?;
                Ok(())
            })
        })
        .await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        self.away(move |shared| {
            let (place, name) = shared.held(&delivery.receipt)?;
            let from = place.taken(&shared.settings.consumer).join(name.text());
            letters::bury(&place, &from, &name, &reason)
        })
        .await
    }

    async fn buried(&self, most: usize) -> Result<Vec<Buried>> {
        self.away(move |shared| {
            let mut found = Vec::new();
            for place in shared.places()? {
                found.extend(letters::list(&place, most - found.len(), shared.settings.max_body)?);
            }
            Ok(found)
        })
        .await
    }

    async fn replay(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.away(move |shared| {
            let unknown = || Error::new(Kind::Invalid, format!("there is no dead letter {id:?}"));
            let (pool, name) = id.split_once('/').ok_or_else(unknown)?;
            let place = Place::of(&shared.settings, pool)?;
            if letters::replay(&place, name)? { Ok(()) } else { Err(unknown()) }
        })
        .await
    }

    async fn depth(&self) -> Result<Option<u64>> {
        self.away(|shared| {
            let mut sum = 0;
            for place in shared.places()? {
                sum += place::list(&place.queue())?.len() as u64;
                sum += incoming::count(&place)?;
            }
            Ok(Some(sum))
        })
        .await
    }

    async fn check(&self) -> Result<()> {
        self.away(|shared| shared.places()?.iter().try_for_each(Place::check)).await
    }
}

impl Shared {
    fn places(&self) -> Result<Vec<Place>> {
        self.settings.pools.iter().map(|pool| Place::of(&self.settings, pool)).collect()
    }

    /// The pool and the file of a receipt.
    fn held(&self, receipt: &Receipt) -> Result<(Place, Name)> {
        let strange = || Error::new(Kind::Invalid, "the receipt is of another transport");
        let (pool, name) = receipt.0.split_once('/').ok_or_else(strange)?;
        let place = Place::of(&self.settings, pool)?;
        Ok((place, Name::parse(name).ok_or_else(strange)?))
    }

    fn publish(&self, tickets: &[Ticket]) -> Result<()> {
        let mut written = Vec::new();
        for ticket in tickets {
            let place = Place::of(&self.settings, &ticket.pool)?;
            let name = Name::of_ticket(ticket);
            let target = place.queue().join(name.text());
            let draft = place.queue().join(format!(".{}.tmp", name.text()));
            place::write(&draft, &ticket.encode(), tickets.len() < MANY)?;
            written.push((draft, target));
        }
        if tickets.len() >= MANY {
            place::sync_all(&self.settings.folder)?;
        }
        let mut folders: Vec<&Path> = Vec::new();
        for (draft, target) in &written {
            if !place::rename(draft, target)? {
                return Err(Error::new(Kind::Lost, format!("{} has gone", draft.display())));
            }
            let folder = target.parent().unwrap_or(&self.settings.folder);
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders.into_iter().try_for_each(place::sync)
    }

    /// Takes up to so many of what is there.
    fn take(&self, most: usize) -> Result<Vec<Delivery>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let revive = state.revived.is_none_or(|last| last.elapsed() >= REVIVE);
        if revive {
            state.revived = Some(Instant::now());
        }
        let mut found = Vec::new();
        for place in self.places()? {
            if !state.held.contains_key(&place.pool) {
                let held = Held::new(&place, &self.settings.consumer)?;
                state.held.insert(place.pool.clone(), held);
            }
            if revive {
                abandoned::take_back(&place, &self.settings.consumer)?;
            }
            bring_back_what_is_due(&place)?;
            let mut waiting: Vec<Name> = Vec::new();
            for name in place::list(&place.queue())? {
                waiting.extend(Name::parse(&name));
            }
            let limit = self.settings.max_body as u64;
            let incoming = incoming::whole(&place, limit, &mut state.seen)?;
            waiting.sort();
            // Of one priority, what others have put there is as old as it says.
            let mut incoming = incoming.into_iter().peekable();
            let mut waiting = waiting.into_iter().peekable();
            while found.len() < most {
                let of_others = match (incoming.peek(), waiting.peek()) {
                    (Some((first, _)), Some(second)) => first < second,
                    (Some(_), None) => true,
                    (None, Some(_)) => false,
                    (None, None) => break,
                };
                let next = if of_others {
                    incoming.next()
                } else {
                    waiting.next().map(|name| {
                        let path = place.queue().join(name.text());
                        (name, path)
                    })
                };
                if let Some((name, path)) = next {
                    found.extend(self.take_one(&place, name, &path)?);
                }
            }
        }
        Ok(found)
    }

    /// Takes one file, unless somebody else was faster.
    fn take_one(&self, place: &Place, name: Name, path: &Path) -> Result<Option<Delivery>> {
        let name = Name { deliveries: name.deliveries.saturating_add(1), ..name };
        let taken = place.taken(&self.settings.consumer).join(name.text());
        if !place::rename(path, &taken)? {
            return Ok(None);
        }
        // Names come again; the same file does not.
        let identity = std::fs::symlink_metadata(&taken).map_or(String::new(), |it| {
            format!("{}/{}/{}/{}", name.original, it.ino(), it.mtime(), it.mtime_nsec())
        });
        let bytes = match place::read(&taken, self.settings.max_body as u64) {
            Ok(bytes) => bytes,
            Err(refusal) => {
                letters::bury(place, &taken, &name, &refusal)?;
                return Ok(None);
            }
        };
        let body = Body::decode(name.is_ticket(), bytes);
        let priority = match &body {
            Body::Ticket(ticket) => message::bounded(ticket.priority),
            Body::Foreign(_) => name.priority,
        };
        Ok(Some(Delivery {
            body,
            receipt: Receipt(format!("{}/{}", place.pool, name.text())),
            deliveries: name.deliveries,
            pool: place.pool.clone(),
            priority,
            source: format!("file {}", name.original),
            identity,
        }))
    }

    /// Files of others are kept, for them to see.
    fn finish(&self, receipt: &Receipt) -> Result<()> {
        let (place, name) = self.held(receipt)?;
        let taken = place.taken(&self.settings.consumer).join(name.text());
        if name.is_ticket() {
            return place::remove(&taken);
        }
        place::rename_beside(&taken, &place.done(), &name.original)?;
        match self.settings.max_length {
            Some(length) => place.forget_done(length),
            None => Ok(()),
        }
    }
}

fn bring_back_what_is_due(place: &Place) -> Result<()> {
    let now = name::now();
    for text in place::list(&place.later())? {
        let Some((due, name)) = text.split_once('-') else { continue };
        if due.parse::<u128>().is_ok_and(|due| due <= now) {
            place::rename(&place.later().join(&text), &place.queue().join(name))?;
        }
    }
    Ok(())
}

/// Makes an error of what the kernel says.
fn io(what: &str, path: &Path, error: std::io::Error) -> Error {
    failed(format!("{} cannot be {what}", path.display()), error)
}
