//! The one page cache, at the bottom, over the transports.
//!
//! Parsing is a chain of small dependent reads, and one file's reads touch the same few places
//! again and again. So everything above reads through pages of 16 KiB: a miss is fetched once
//! however many threads want it (*single flight*), all misses of one call go to the transport
//! together, which joins neighbours into one read (*coalescing*), and a reader that walks forward
//! is fetched ahead of (*read-ahead*). Where a round trip is dear, misses also bring what lies around
//! them ([`Reach`]). All sources of one process share one byte ceiling.
//!
//! Reads of [`BYPASS`] bytes and more go past the cache: they are consumed once, and copying them
//! twice would only cost time.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::error::{ErrorKind, Result};
use crate::read::{ReadAt, check_range};

/// The size of a page.
pub const PAGE: u64 = 16 << 10;

/// Reads this long are not cached.
pub const BYPASS: usize = 1 << 20;

/// The most that is fetched at once for a list of reads.
const PORTION: u64 = 4 << 20;

const SHARDS: usize = 16;

/// What a page is before it is read.
static BLANK: [u8; PAGE as usize] = [0; PAGE as usize];

type Page = Arc<[u8]>;

/// Which page of which source.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: u64,
    page: u64,
}

/// Pages of any number of sources beneath one byte ceiling.
pub struct PageCache {
    shards: Vec<Mutex<Shard>>,
    next_source: AtomicU64,
}

struct Shard {
    ready: LruCache<Key, Page>,
    flying: HashMap<Key, Arc<Flight>>,
    bytes: usize,
    ceiling: usize,
}

/// A page on its way, for those who wait for it.
#[derive(Default)]
struct Flight {
    state: Mutex<FlightState>,
    arrival: Condvar,
}

#[derive(Default)]
struct FlightState {
    landed: Option<Result<Page>>,
    /// Somebody waits. Mostly nobody does, and to wake nobody would still be a system call.
    awaited: bool,
}

impl Flight {
    fn land(&self, page: Result<Page>) {
        let mut state = unpoisoned(&self.state);
        state.landed = Some(page);
        if state.awaited {
            self.arrival.notify_all();
        }
    }

    fn wait(&self) -> Result<Page> {
        let mut state = unpoisoned(&self.state);
        loop {
            if let Some(page) = &state.landed {
                return page.clone();
            }
            state.awaited = true;
            state = self.arrival.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A panic elsewhere does not make cached bytes wrong.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PageCache {
    /// A cache that holds at most about `ceiling` bytes.
    pub fn new(ceiling: usize) -> Self {
        let share = (ceiling / SHARDS).max(PAGE as usize);
        let shard = || Shard {
            ready: LruCache::unbounded(),
            flying: HashMap::new(),
            bytes: 0,
            ceiling: share,
        };
        Self {
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
            next_source: AtomicU64::new(0),
        }
    }

    /// How many bytes it holds now.
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| unpoisoned(shard).bytes).sum()
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        let mixed = (key.page ^ key.source.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        unpoisoned(&self.shards[(mixed >> 60) as usize % SHARDS])
    }

    /// The page if it is here; otherwise the flight that brings it, and whether the caller has to
    /// fly it.
    fn look_up(&self, key: Key) -> Found {
        let mut shard = self.shard(key);
        if let Some(page) = shard.ready.get(&key) {
            return Found::Ready(page.clone());
        }
        if let Some(flight) = shard.flying.get(&key) {
            return Found::Flying(flight.clone());
        }
        let flight = Arc::new(Flight::default());
        shard.flying.insert(key, flight.clone());
        Found::Missing(flight)
    }

    fn land(&self, key: Key, flight: &Flight, page: Result<Page>) {
        let mut shard = self.shard(key);
        shard.flying.remove(&key);
        if let Ok(page) = &page {
            shard.bytes += page.len();
            if let Some(before) = shard.ready.put(key, page.clone()) {
                shard.bytes -= before.len();
            }
            while shard.bytes > shard.ceiling {
                match shard.ready.pop_lru() {
                    Some((_, oldest)) => shard.bytes -= oldest.len(),
                    None => break,
                }
            }
        }
        drop(shard);
        flight.land(page);
    }
}

enum Found {
    Ready(Page),
    Flying(Arc<Flight>),
    Missing(Arc<Flight>),
}

/// Flights this thread has to fly. If it unwinds before it has, the others learn of it rather than
/// wait for ever.
struct Owed<'a> {
    cache: &'a PageCache,
    flights: Vec<(Key, Arc<Flight>)>,
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        for (key, flight) in self.flights.drain(..) {
            let why = std::io::Error::other("the reader of this page gave up");
            self.cache.land(key, &flight, Err(crate::Error::io("page", why)));
        }
    }
}

/// How much more than was asked for is fetched from a source, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    /// The most that a forward walk is fetched ahead at a time.
    pub ahead: u64,
    /// A miss brings the whole aligned stretch of this length that it lies in.
    pub grain: u64,
    /// The first misses bring so much instead: what is read when a disk is opened lies close
    /// together, each piece known only by the one before.
    pub around: u64,
    /// How much may be brought so: what is read later on is scattered.
    pub budget: u64,
}

/// A transport behind the page cache.
pub struct Cached {
    source: Arc<dyn ReadAt>,
    length: u64,
    cache: Arc<PageCache>,
    id: u64,
    ahead: Mutex<Ahead>,
    /// How many pages a stretch has, how many it has at first, and how many pages those may still
    /// bring unasked.
    grain: u64,
    around: u64,
    budget: Mutex<u64>,
}

/// Where a forward walk stands.
struct Ahead {
    /// The page after the last one fetched.
    expected: u64,
    /// How many pages the next sequential miss fetches ahead.
    window: u64,
    /// The most that the window grows to; none where the transport reads ahead itself.
    limit: u64,
}

impl Cached {
    /// `source` behind `cache`.
    pub fn new(source: Arc<dyn ReadAt>, cache: Arc<PageCache>, reach: Reach) -> Self {
        let id = cache.next_source.fetch_add(1, Ordering::Relaxed);
        let ahead = Ahead { expected: u64::MAX, window: 0, limit: reach.ahead / PAGE };
        Self {
            length: source.len(),
            source,
            cache,
            id,
            ahead: Mutex::new(ahead),
            grain: (reach.grain / PAGE).max(1),
            around: reach.around / PAGE,
            budget: Mutex::new(reach.budget / PAGE),
        }
    }

    fn key(&self, page: u64) -> Key {
        Key { source: self.id, page }
    }

    fn pages(&self) -> u64 {
        self.length.div_ceil(PAGE)
    }

    /// How many pages to fetch beyond `last`, given that `first..=last` were missed.
    fn read_ahead(&self, first: u64, last: u64) -> u64 {
        let mut ahead = unpoisoned(&self.ahead);
        if ahead.limit == 0 {
            return 0;
        }
        let sequential = first == ahead.expected;
        ahead.window = if sequential { (ahead.window * 2).clamp(1, ahead.limit) } else { 0 };
        let extra = ahead.window.min(self.pages().saturating_sub(last + 1));
        ahead.expected = (last + 1 + extra).next_multiple_of(self.grain);
        extra
    }

    /// Gets the pages, which must be sorted and unique, and hands each to `take` as it is there.
    fn fetch(&self, wanted: &[u64], take: &mut dyn FnMut(u64, &Page)) -> Result<()> {
        let mut owed = Owed { cache: &self.cache, flights: Vec::new() };
        let mut waiting = Vec::new();
        for &page in wanted {
            match self.cache.look_up(self.key(page)) {
                Found::Ready(bytes) => take(page, &bytes),
                Found::Flying(flight) => waiting.push((page, flight)),
                Found::Missing(flight) => owed.flights.push((self.key(page), flight)),
            }
        }
        if let (Some((first, _)), Some((last, _))) = (owed.flights.first(), owed.flights.last()) {
            let (first, last) = (first.page, last.page);
            for page in last + 1..last + 1 + self.read_ahead(first, last) {
                match self.cache.look_up(self.key(page)) {
                    Found::Missing(flight) => owed.flights.push((self.key(page), flight)),
                    Found::Ready(_) | Found::Flying(_) => break,
                }
            }
            self.add_neighbours(&mut owed);
            self.fly(&mut owed, &mut |page, bytes| {
                if wanted.binary_search(&page).is_ok() {
                    take(page, bytes);
                }
            })?;
        }
        for (page, flight) in waiting {
            take(page, &flight.wait()?);
        }
        Ok(())
    }

    /// Owes the missing neighbours of what is owed too: as many as the budget allows, then those of
    /// the grain.
    fn add_neighbours(&self, owed: &mut Owed<'_>) {
        let mut budget = unpoisoned(&self.budget);
        let at_first = self.around > self.grain && *budget > 0;
        let length = if at_first { self.around } else { self.grain };
        if length < 2 {
            return;
        }
        let mut stretches: Vec<u64> =
            owed.flights.iter().map(|(key, _)| key.page / length).collect();
        stretches.dedup();
        let pages = |stretch| stretch * length..(stretch + 1) * length;
        for page in stretches.into_iter().flat_map(pages).take_while(|page| *page < self.pages()) {
            if at_first && *budget == 0 {
                break;
            }
            if let Found::Missing(flight) = self.cache.look_up(self.key(page)) {
                owed.flights.push((self.key(page), flight));
                *budget = budget.saturating_sub(u64::from(at_first));
            }
        }
        owed.flights.sort_unstable_by_key(|(key, _)| key.page);
    }

    /// Reads the owed pages in one call to the transport, straight to where they stay.
    fn fly(&self, owed: &mut Owed<'_>, take: &mut dyn FnMut(u64, &Page)) -> Result<()> {
        let mut pages: Vec<Page> = Vec::with_capacity(owed.flights.len());
        for (key, _) in &owed.flights {
            pages.push(Page::from(&BLANK[..PAGE.min(self.length - key.page * PAGE) as usize]));
        }
        let mut reads: Vec<_> = owed
            .flights
            .iter()
            .zip(&mut pages)
            .map(|((key, _), page)| (key.page * PAGE, Arc::make_mut(page)))
            .collect();
        let outcome = self.source.read_many(&mut reads);
        let mut failure = None;
        for ((key, flight), mut page) in std::mem::take(&mut owed.flights).into_iter().zip(pages) {
            // One bad sector must not take its neighbours with it: after a failure every page is
            // tried alone. A server that is gone is so for all of them, and was waited for already.
            let landed = match &outcome {
                Ok(()) => Ok(()),
                Err(error) if error.kind() == ErrorKind::Unreachable => Err(error.clone()),
                Err(_) => self.source.read_at(key.page * PAGE, Arc::make_mut(&mut page)),
            };
            let page = landed.map(|()| page);
            match &page {
                Ok(page) => take(key.page, page),
                Err(error) => failure = Some(error.clone()),
            }
            self.cache.land(key, &flight, page);
        }
        failure.map_or(Ok(()), Err)
    }
}

impl ReadAt for Cached {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let range = check_range(offset, buf.len(), self.length)?;
        if buf.is_empty() {
            return Ok(());
        }
        if buf.len() >= BYPASS {
            return self.source.read_at(offset, buf);
        }
        let (first, last) = (range.start / PAGE, (range.end - 1) / PAGE);
        let wanted: Vec<u64> = (first..=last).collect();
        self.fetch(&wanted, &mut |page, bytes| copy(page, bytes, offset, buf))
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        if let [(offset, buf)] = reads {
            return self.read_at(*offset, buf);
        }
        let mut wanted = Vec::new();
        let mut large = Vec::new();
        let mut small: Vec<(u64, &mut [u8])> = Vec::new();
        for (offset, buf) in reads.iter_mut() {
            let range = check_range(*offset, buf.len(), self.length)?;
            if buf.len() >= BYPASS {
                large.push((*offset, &mut **buf));
            } else if !buf.is_empty() {
                wanted.extend(range.start / PAGE..=(range.end - 1) / PAGE);
                small.push((*offset, &mut **buf));
            }
        }
        if !large.is_empty() {
            self.source.read_many(&mut large)?;
        }
        wanted.sort_unstable();
        wanted.dedup();
        small.sort_unstable_by_key(|(offset, _)| *offset);
        // A long list is served in portions, so that it never holds more than a few pages at once.
        for portion in wanted.chunks((PORTION / PAGE) as usize) {
            self.fetch(portion, &mut |page, bytes| {
                let (start, end) = (page * PAGE, (page + 1) * PAGE);
                let until = small.partition_point(|(offset, _)| *offset < end);
                for (offset, buf) in small[..until].iter_mut().rev() {
                    // No small read is longer than BYPASS, so those far behind cannot reach here.
                    if *offset + (BYPASS as u64) <= start {
                        break;
                    }
                    copy(page, bytes, *offset, buf);
                }
            })?;
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let mut wanted: Vec<u64> = ranges
            .iter()
            .filter(|range| range.start < range.end && range.start < self.length)
            .flat_map(|range| range.start / PAGE..range.end.min(self.length).div_ceil(PAGE))
            .take((PORTION / PAGE) as usize * 4)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        // Only a hint: what fails here fails again, and is reported, when it is read.
        let _ = self.fetch(&wanted, &mut |_, _| {});
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        self.source.next_data(offset)
    }
}

/// Copies what `page` and the read at `offset` have in common into `buf`.
fn copy(page: u64, bytes: &Page, offset: u64, buf: &mut [u8]) {
    let page_start = page * PAGE;
    let start = offset.max(page_start);
    let end = (offset + buf.len() as u64).min(page_start + bytes.len() as u64);
    if start < end {
        let length = (end - start) as usize;
        let from = (start - page_start) as usize;
        let to = (start - offset) as usize;
        buf[to..to + length].copy_from_slice(&bytes[from..from + length]);
    }
}

/// A small cache of decoded things (tables, clusters, inodes) with a ceiling on their weight.
pub struct Decoded<K, V> {
    held: Mutex<Held<K, V>>,
    ceiling: usize,
}

struct Held<K, V> {
    things: LruCache<K, (Arc<V>, usize)>,
    weight: usize,
}

impl<K: std::hash::Hash + Eq + Clone, V> Decoded<K, V> {
    /// A cache that holds things of at most `ceiling` weight together.
    pub fn new(ceiling: usize) -> Self {
        let held = Held { things: LruCache::unbounded(), weight: 0 };
        Self { held: Mutex::new(held), ceiling }
    }

    /// The thing, if it is here.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        unpoisoned(&self.held).things.get(key).map(|(thing, _)| thing.clone())
    }

    /// The thing, decoded by `decode` if it is not here. `weight` is usually its size in bytes.
    pub fn get_or(
        &self,
        key: &K,
        weight: impl FnOnce(&V) -> usize,
        decode: impl FnOnce() -> Result<V>,
    ) -> Result<Arc<V>> {
        if let Some(thing) = self.get(key) {
            return Ok(thing);
        }
        let thing = Arc::new(decode()?);
        self.put(key.clone(), thing.clone(), weight(&thing));
        Ok(thing)
    }

    /// Remembers the thing.
    pub fn put(&self, key: K, thing: Arc<V>, weight: usize) {
        let mut held = unpoisoned(&self.held);
        held.weight += weight;
        if let Some((_, before)) = held.things.put(key, (thing, weight)) {
            held.weight -= before;
        }
        while held.weight > self.ceiling && held.things.len() > 1 {
            match held.things.pop_lru() {
                Some((_, (_, weight))) => held.weight -= weight,
                None => break,
            }
        }
    }
}

/// Decompressed clusters of any number of images beneath one ceiling: every image of a chain may
/// have some, and the chain is as long as the image says.
pub struct ClusterCache {
    clusters: Decoded<(u64, u64), Vec<u8>>,
    next_image: AtomicU64,
}

impl ClusterCache {
    /// A cache that holds at most about `ceiling` bytes.
    pub fn new(ceiling: usize) -> Self {
        Self { clusters: Decoded::new(ceiling), next_image: AtomicU64::new(0) }
    }

    /// The part of it that belongs to one more image.
    pub fn image(self: &Arc<Self>) -> ImageClusters {
        let image = self.next_image.fetch_add(1, Ordering::Relaxed);
        ImageClusters { cache: Arc::clone(self), image }
    }
}

/// The decompressed clusters of one image, by where their data lies in it.
pub struct ImageClusters {
    cache: Arc<ClusterCache>,
    image: u64,
}

impl ImageClusters {
    /// The cluster, if it is here.
    pub fn get(&self, offset: u64) -> Option<Arc<Vec<u8>>> {
        self.cache.clusters.get(&(self.image, offset))
    }

    /// Remembers the cluster.
    pub fn put(&self, offset: u64, cluster: Arc<Vec<u8>>) {
        let weight = Vec::len(&cluster);
        self.cache.clusters.put((self.image, offset), cluster, weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Bytes that say where they are, and a count of the reads that reached them.
    struct Pattern {
        length: u64,
        reads: AtomicUsize,
        bytes: AtomicU64,
    }

    impl Pattern {
        fn new(length: u64) -> Arc<Self> {
            Arc::new(Self { length, reads: AtomicUsize::new(0), bytes: AtomicU64::new(0) })
        }
        fn byte(at: u64) -> u8 {
            (at ^ (at >> 8) ^ (at >> 16)) as u8
        }
    }

    impl ReadAt for Pattern {
        fn len(&self) -> u64 {
            self.length
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
            check_range(offset, buf.len(), self.length)?;
            self.reads.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(buf.len() as u64, Ordering::Relaxed);
            for (index, byte) in buf.iter_mut().enumerate() {
                *byte = Self::byte(offset + index as u64);
            }
            Ok(())
        }
        fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
            for run in reads.chunk_by_mut(|(at, buf), (next, _)| at + buf.len() as u64 == *next) {
                for (offset, buf) in run.iter_mut() {
                    self.read_at(*offset, buf)?;
                }
                self.reads.fetch_sub(run.len() - 1, Ordering::Relaxed);
            }
            Ok(())
        }
    }

    fn ahead(ahead: u64) -> Reach {
        Reach { ahead, ..Reach::default() }
    }

    fn check(reader: &dyn ReadAt, offset: u64, length: usize) {
        let mut buf = vec![0; length];
        reader.read_at(offset, &mut buf).unwrap();
        for (index, byte) in buf.iter().enumerate() {
            assert_eq!(*byte, Pattern::byte(offset + index as u64), "at {}", offset + index as u64);
        }
    }

    #[test]
    fn reads_are_exact_whatever_their_shape() {
        let source = Pattern::new(5 * PAGE + 123);
        let cached =
            Cached::new(source, Arc::new(PageCache::new(3 * PAGE as usize)), ahead(1 << 20));
        for (offset, length) in
            [(0, 1), (PAGE - 1, 2), (PAGE, PAGE as usize), (17, 3 * PAGE as usize), (5 * PAGE, 123)]
        {
            check(&cached, offset, length);
        }
        let mut buf = [0; 2];
        assert!(cached.read_at(5 * PAGE + 122, &mut buf).is_err());
        assert!(cached.read_at(u64::MAX, &mut buf).is_err());
    }

    #[test]
    fn neighbouring_misses_are_one_read_and_hits_are_none() {
        let source = Pattern::new(64 * PAGE);
        let cached =
            Cached::new(source.clone(), Arc::new(PageCache::new(64 << 20)), Reach::default());
        check(&cached, 10, 8 * PAGE as usize);
        assert_eq!(source.reads.load(Ordering::Relaxed), 1);
        check(&cached, 5 * PAGE, 100);
        assert_eq!(source.reads.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn vectored_reads_may_overlap_and_come_in_any_order() {
        let source = Pattern::new(128 * PAGE);
        let cached = Cached::new(source, Arc::new(PageCache::new(64 << 20)), Reach::default());
        let wanted = [(40 * PAGE, 10), (3, PAGE as usize * 2), (PAGE, 7), (9, 0), (0, BYPASS + 5)];
        let mut buffers: Vec<Vec<u8>> = wanted.iter().map(|(_, length)| vec![0; *length]).collect();
        let mut reads: Vec<(u64, &mut [u8])> = wanted
            .iter()
            .zip(&mut buffers)
            .map(|((at, _), buf)| (*at, buf.as_mut_slice()))
            .collect();
        cached.read_many(&mut reads).unwrap();
        for ((offset, _), buf) in wanted.iter().zip(&buffers) {
            for (index, byte) in buf.iter().enumerate() {
                assert_eq!(*byte, Pattern::byte(offset + index as u64));
            }
        }
    }

    #[test]
    fn many_threads_that_miss_the_same_page_cause_one_read() {
        let source = Pattern::new(PAGE);
        let cached =
            Cached::new(source.clone(), Arc::new(PageCache::new(1 << 20)), Reach::default());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| check(&cached, 0, 4096));
            }
        });
        assert_eq!(source.reads.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn the_ceiling_holds() {
        let cache = Arc::new(PageCache::new(2 << 20));
        let cached = Cached::new(Pattern::new(64 << 20), cache.clone(), ahead(4 << 20));
        for page in 0..1024 {
            check(&cached, page * PAGE, 16);
        }
        assert!(cache.bytes() <= 2 << 20, "{}", cache.bytes());
    }

    #[test]
    fn a_forward_walk_is_read_ahead_of() {
        let source = Pattern::new(16 << 20);
        let cached =
            Cached::new(source.clone(), Arc::new(PageCache::new(64 << 20)), ahead(4 << 20));
        for page in 0..256 {
            check(&cached, page * PAGE, 16);
        }
        let reads = source.reads.load(Ordering::Relaxed);
        assert!(reads < 16, "{reads} reads for 256 pages");
    }

    #[test]
    fn first_misses_bring_their_neighbours() {
        let source = Pattern::new(64 * PAGE + 10);
        let reach = Reach { around: 8 * PAGE, budget: 20 * PAGE, ..Reach::default() };
        let cached = Cached::new(source.clone(), Arc::new(PageCache::new(64 << 20)), reach);
        // Two stretches, 14 pages that nobody asked for; then the last and shorter one, none; then
        // one more, and that was all.
        for (page, reads) in [(13, 1), (8, 1), (15, 1), (17, 2), (23, 2), (64, 3), (40, 4), (45, 4)]
        {
            check(&cached, page * PAGE, 10);
            assert_eq!(source.reads.load(Ordering::Relaxed), reads, "page {page}");
        }
        check(&cached, 47 * PAGE, 10);
        check(&cached, 32 * PAGE, 10);
        check(&cached, 33 * PAGE, 10);
        assert_eq!(source.reads.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_miss_brings_its_grain() {
        let source = Pattern::new(10 * PAGE + 10);
        let reach = Reach { grain: 4 * PAGE, ahead: 1 << 20, ..Reach::default() };
        let cached = Cached::new(source.clone(), Arc::new(PageCache::new(64 << 20)), reach);
        for (page, reads) in [(5, 1), (4, 1), (7, 1), (10, 2), (9, 2), (1, 3)] {
            check(&cached, page * PAGE, 10);
            assert_eq!(source.reads.load(Ordering::Relaxed), reads, "page {page}");
        }
        assert_eq!(source.bytes.load(Ordering::Relaxed), 10 * PAGE + 10);
    }

    /// A source with one bad page.
    struct Scratched(Arc<Pattern>);

    impl ReadAt for Scratched {
        fn len(&self) -> u64 {
            self.0.len()
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
            if offset < 3 * PAGE && offset + buf.len() as u64 > 2 * PAGE {
                return Err(
                    crate::Error::io("disk", std::io::Error::other("scratched")).at(2 * PAGE)
                );
            }
            self.0.read_at(offset, buf)
        }
    }

    #[test]
    fn one_bad_page_spoils_no_other_and_stays_bad() {
        let source = Arc::new(Scratched(Pattern::new(8 * PAGE)));
        let cached = Cached::new(source, Arc::new(PageCache::new(1 << 20)), ahead(1 << 20));
        let mut buf = vec![0; 6 * PAGE as usize];
        assert!(cached.read_at(0, &mut buf).is_err());
        check(&cached, 0, 2 * PAGE as usize);
        check(&cached, 3 * PAGE, 5 * PAGE as usize);
        assert!(cached.read_at(2 * PAGE, &mut buf[..1]).is_err());
    }
}
