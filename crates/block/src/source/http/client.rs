//! Requests for ranges of one image: redirects, patience, and what is not forgiven.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Response};
use ureq::{Body, Timeout};

use super::address::{Origin, join};
use super::agent::Agents;
use super::answer::{ContentRange, Version, text, unsatisfied_total};
use super::jobs::Job;
use super::resolve::Forbidden;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::meter::Meter;

/// How many redirects one request follows.
const MAX_REDIRECTS: usize = 10;

/// The least speed that an answer may have, in bytes a second: a server that drips would otherwise
/// hold a reader for ever without ever being silent.
const LEAST_SPEED: u64 = 16 << 10;

/// How much of a file is taken from the connection at once.
const PIECE: usize = 256 << 10;

/// Fetches ranges of one image.
pub(super) struct Client {
    agents: Arc<Agents>,
    meter: Arc<Meter>,
    /// What the user named, and to whom secrets may be sent.
    url: String,
    origin: Origin,
    /// The address as it may be shown.
    name: String,
    /// Where a redirect led: later requests go there at once.
    resolved: Mutex<Option<String>>,
    slots: Slots,
}

/// Why a request failed, and whether to try again after how long.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) again: Again,
    /// Some of what was asked for came.
    pub(super) came: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    Later,
    After(Duration),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, again: Again::Never, came: false }
    }
}

/// An answer that is what was asked for, except for its body.
struct Answer {
    version: Version,
    /// How many bytes the body has.
    length: u64,
    body: Body,
}

impl Client {
    pub(super) fn new(url: &str, agents: Arc<Agents>, meter: Arc<Meter>) -> Result<Self> {
        let name = Location::Url(url.to_owned()).to_string();
        // A fragment is for the reader of a page and never sent.
        let url = url.split('#').next().unwrap_or(url).to_owned();
        let Some(origin) = Origin::of(&url) else {
            let error = Error::invalid(name, "that is no address of a web server");
            return Err(error.placed());
        };
        let slots = Slots::new(agents.options.parallel);
        Ok(Self { agents, meter, url, origin, name, resolved: Mutex::default(), slots })
    }

    /// The address as it may be shown.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Fetches up to `length` first bytes, and learns of which version they are.
    pub(super) fn first(&self, length: u64) -> Result<(Version, Vec<u8>)> {
        let mut known: Option<Version> = None;
        let mut head = Vec::new();
        self.meter.round();
        self.patiently(|| {
            let _slot = self.slots.take();
            // An empty image has no first byte, and is known by that.
            let Some(answer) = self.ask(0, length, known.as_ref())? else {
                known = Some(Version { length: 0, etag: None, modified: None });
                head = Vec::new();
                return Ok(());
            };
            head.resize(answer.length as usize, 0);
            let mut job = Job::new(0, &mut head);
            let (_, outcome) = self.receive(answer.body, answer.length, |body| job.fill(0, body));
            known = Some(answer.version);
            outcome
        })?;
        known
            .map(|version| (version, head))
            .ok_or_else(|| Error::unreachable(&*self.name, "the server gave no answer"))
    }

    /// Fetches all jobs, several at a time.
    pub(super) fn fetch(&self, jobs: &mut [Job<'_>], version: &Version) -> Result<()> {
        let threads = jobs.len().min(self.agents.options.parallel);
        if threads == 0 {
            return Ok(());
        }
        (0..jobs.len().div_ceil(threads)).for_each(|_| self.meter.round());
        let queue = Mutex::new(jobs.iter_mut());
        let work = || loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(job) = next else { return Ok(()) };
            if let Err(error) = self.fetch_one(job, version) {
                // Nothing of this read will be used: the others may stop.
                queue.lock().unwrap_or_else(PoisonError::into_inner).by_ref().count();
                return Err(error);
            }
        };
        std::thread::scope(|scope| {
            // A thread that cannot be had is no failure: this one does the work then.
            let helpers: Vec<_> = (1..threads)
                .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let mine = work();
            helpers.into_iter().fold(mine, |outcome, helper| {
                let theirs = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome.and(theirs)
            })
        })
    }

    fn fetch_one(&self, job: &mut Job<'_>, version: &Version) -> Result<()> {
        let mut done = 0;
        self.patiently(|| {
            let _slot = self.slots.take();
            let Some(answer) = self.ask(job.start + done, job.length - done, Some(version))? else {
                return Err(self.changed("it has become empty").into());
            };
            let wanted = job.length - done;
            if answer.length != wanted {
                let why = format!("{wanted} bytes were asked for and {} came", answer.length);
                return Err(self.misbehaves(&why).into());
            }
            let (came, outcome) =
                self.receive(answer.body, answer.length, |body| job.fill(done, body));
            done += came;
            outcome
        })
        .map_err(|error| error.at(job.start))
    }

    /// Tries until it works, is hopeless, or has been tried often enough.
    pub(super) fn patiently(
        &self,
        mut attempt: impl FnMut() -> std::result::Result<(), Failure>,
    ) -> Result<()> {
        let options = &self.agents.options;
        let mut pause = options.pause;
        // When anything came last, or was first asked for.
        let mut since = Instant::now();
        for _ in 0..options.retries {
            let Err(Failure { error, again, came }) = attempt() else {
                return Ok(());
            };
            if came {
                since = Instant::now();
            }
            let wait = match again {
                Again::Never => return Err(error.placed()),
                Again::Later => {
                    pause = pause.saturating_mul(2);
                    pause / 2
                }
                Again::After(wished) => wished,
            };
            if since.elapsed() >= options.patience {
                return Err(error.placed());
            }
            std::thread::sleep(wait.min(options.longest_pause));
            self.meter.round();
        }
        attempt().map_err(|failure| failure.error.placed())
    }

    /// Sends one request for `length` bytes at `start`, follows where it leads, and judges the
    /// answer. None if the image is empty.
    fn ask(
        &self,
        start: u64,
        length: u64,
        known: Option<&Version>,
    ) -> std::result::Result<Option<Answer>, Failure> {
        // What a server takes for a range that is not there is none: `length` is never nought.
        let mut headers = vec![
            ("Range", format!("bytes={start}-{}", start + (length - 1))),
            ("Accept-Encoding", "identity".to_owned()),
        ];
        let condition = match self.agents.options.signer {
            Some(_) => known.and_then(Version::if_match).map(|it| ("If-Match", it.to_owned())),
            None => known.and_then(Version::if_range).map(|it| ("If-Range", it.to_owned())),
        };
        headers.extend(condition);
        let longest = self.agents.options.idle_timeout + Duration::from_secs(length / LEAST_SPEED);
        let response = self.follow(&headers, Some(longest))?;
        self.judge(response.status().as_u16(), response, start, length, known)
    }

    /// Sends one request, and follows where it leads. The body may take as long as `longest`.
    pub(super) fn follow(
        &self,
        headers: &[(&str, String)],
        longest: Option<Duration>,
    ) -> std::result::Result<Response<Body>, Failure> {
        let resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut fresh = resolved.is_none();
        let mut url = resolved.unwrap_or_else(|| self.url.clone());
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&url, headers, longest)?;
            match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 if !self.agents.options.redirects => {
                    let why = "the server redirects, and redirects are not followed here";
                    return Err(Error::refused(&*self.name, why).into());
                }
                301 | 302 | 303 | 307 | 308 => url = self.redirected(&url, response.headers())?,
                // Where a redirect led may hold only for a while: it is asked for again, once.
                401 | 403 | 404 | 410 if !fresh => {
                    fresh = true;
                    url.clone_from(&self.url);
                }
                status => {
                    if url != self.url && matches!(status, 200 | 206) {
                        *self.resolved.lock().unwrap_or_else(PoisonError::into_inner) = Some(url);
                    }
                    return Ok(response);
                }
            }
        }
        let why = format!("it redirects more than {MAX_REDIRECTS} times");
        Err(self.misbehaves(&why).into())
    }

    fn send(
        &self,
        url: &str,
        headers: &[(&str, String)],
        longest: Option<Duration>,
    ) -> std::result::Result<Response<Body>, Failure> {
        let options = &self.agents.options;
        let Some(origin) = Origin::of(url) else {
            return Err(Error::invalid(&*self.name, "that is no address of a web server").into());
        };
        let config =
            self.agents.agent(origin.is_secure())?.get(url).config().timeout_recv_body(longest);
        let config = if origin.is_loopback() { config.proxy(None) } else { config };
        let mut request = config.build();
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if origin == self.origin {
            for (name, value) in &options.headers {
                request = request.header(name, value.expose());
            }
            if let Some(signer) = &options.signer {
                let signed = signer.sign(url, headers);
                for (name, value) in signed.map_err(|why| Error::invalid(&*self.name, why))? {
                    request = request.header(name, value.expose());
                }
            }
        }
        self.meter.request(0);
        request.call().map_err(|error| self.failed(error))
    }

    /// Where a redirect leads.
    fn redirected(&self, url: &str, headers: &HeaderMap) -> Result<String> {
        let location = text(headers, "location").and_then(|location| join(url, location));
        let Some(next) = location else {
            return Err(self.misbehaves("it redirects to no address that can be fetched"));
        };
        let secure = |url| Origin::of(url).is_some_and(|origin| origin.is_secure());
        if secure(url) && !secure(&next) {
            return Err(self.misbehaves("it redirects from https to http, which is not followed"));
        }
        Ok(next)
    }

    fn judge(
        &self,
        status: u16,
        response: Response<Body>,
        start: u64,
        length: u64,
        known: Option<&Version>,
    ) -> std::result::Result<Option<Answer>, Failure> {
        let headers = response.headers();
        match status {
            206 => Ok(Some(self.partial(response, start, length, known)?)),
            200 => {
                let whole = text(headers, "content-length").and_then(|text| text.parse().ok());
                if whole == Some(0) && known.is_none_or(|known| known.length == 0) {
                    return Ok(None);
                }
                let difference = known.and_then(|known| {
                    known.difference(&Version::of(headers, whole.unwrap_or(known.length)))
                });
                match difference {
                    // It was told to send the whole only if it has changed.
                    Some(difference) => Err(self.changed(&difference).into()),
                    None => Err(self
                        .misbehaves(
                            "it ignores Range and sends the whole image: serve it with a server \
                             that knows byte ranges, or download it first",
                        )
                        .into()),
                }
            }
            416 => {
                let total = text(headers, "content-range").and_then(unsatisfied_total);
                match (total, known) {
                    (Some(0), None) => Ok(None),
                    (Some(total), Some(_)) => {
                        Err(self.changed(&format!("it now has {total} bytes")).into())
                    }
                    _ => Err(self.misbehaves("it has no such range (416)").into()),
                }
            }
            412 if known.is_some() => Err(self.changed("its ETag is another").into()),
            _ => Err(self.refusal(status, headers)),
        }
    }

    /// Whether an answer of status 206 is the range that was asked for, of the version known.
    fn partial(
        &self,
        response: Response<Body>,
        start: u64,
        length: u64,
        known: Option<&Version>,
    ) -> Result<Answer> {
        let headers = response.headers();
        let said = text(headers, "content-range").unwrap_or_default().to_owned();
        let Some(range) = ContentRange::parse(&said) else {
            let why = format!("its Content-Range {said:?} cannot be understood");
            return Err(self.misbehaves(&why));
        };
        let Some(total) = range.total.or(known.map(|known| known.length)) else {
            return Err(self.misbehaves("it does not say how long the image is"));
        };
        let version = Version::of(headers, total);
        if let Some(difference) = known.and_then(|known| known.difference(&version)) {
            return Err(self.changed(&difference));
        }
        let wanted = length.min(total.saturating_sub(start));
        if (range.start, range.length) != (start, wanted) {
            let why = format!(
                "{wanted} bytes at {start} were asked for, and it sends {} at {}",
                range.length, range.start
            );
            return Err(self.misbehaves(&why));
        }
        let encoding = text(headers, "content-encoding").unwrap_or("identity");
        if encoding != "identity" {
            let why = format!("it encodes the image as {encoding:?}");
            return Err(self.misbehaves(&why));
        }
        let body = response.into_body();
        match body.content_length() {
            Some(length) if length != wanted => {
                let why = format!("its Content-Length {length} is not that of {said:?}");
                Err(self.misbehaves(&why))
            }
            _ => Ok(Answer { version, length: wanted, body }),
        }
    }

    /// Reads the body by `fill`; also says how many bytes of it came.
    fn receive(
        &self,
        body: Body,
        length: u64,
        fill: impl FnOnce(&mut dyn Read) -> (u64, std::io::Result<()>),
    ) -> (u64, std::result::Result<(), Failure>) {
        let mut body = body.into_reader();
        let (came, outcome) = fill(&mut body);
        self.meter.received(came);
        let outcome = match outcome {
            // The connection goes back only when its answer has been read to the end.
            Ok(()) => match body.read(&mut [0]) {
                Ok(1) => {
                    let why = format!("it sends more than the {length} bytes it announced");
                    Err(self.misbehaves(&why).into())
                }
                _ => Ok(()),
            },
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                let why = format!("the connection ended after {came} of {length} bytes");
                Err(Failure { error: self.misbehaves(&why), again: Again::Later, came: came > 0 })
            }
            Err(error) => Err(Failure { came: came > 0, ..self.failed(error.into()) }),
        };
        (came, outcome)
    }

    /// Takes a body to its end, piece by piece, as long as it comes fast enough. Also says how many
    /// bytes of it came.
    pub(super) fn pour(
        &self,
        response: Response<Body>,
        each: &mut dyn FnMut(&[u8]) -> std::result::Result<(), Failure>,
    ) -> (u64, std::result::Result<(), Failure>) {
        let encoding = text(response.headers(), "content-encoding").unwrap_or("identity");
        if encoding != "identity" {
            let why = format!("it encodes the file as {encoding:?}");
            return (0, Err(self.misbehaves(&why).into()));
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; PIECE];
        let (mut came, began) = (0, Instant::now());
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => return (came, Ok(())),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                // Whether that is all of it, its length tells.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return (came, Ok(()));
                }
                Err(error) => {
                    let failed = Failure { came: came > 0, ..self.failed(error.into()) };
                    return (came, Err(failed));
                }
            };
            came += count as u64;
            self.meter.received(count as u64);
            if let Err(failure) = each(&buffer[..count]) {
                return (came, Err(failure));
            }
            let allowed = Duration::from_secs(60 + came / LEAST_SPEED);
            if began.elapsed() > allowed {
                let error = self.misbehaves("it is slower than 16 KiB a second");
                return (came, Err(Failure { error, again: Again::Later, came: true }));
            }
        }
    }

    /// An answer that is neither bytes nor a redirect.
    pub(super) fn refusal(&self, status: u16, headers: &HeaderMap) -> Failure {
        let name = &*self.name;
        let error = match status {
            401 => Error::unreachable(name, "the server wants credentials, or others (401)"),
            403 => Error::refused(name, "the server does not allow it (403)"),
            404 | 410 => Error::not_found(name, format!("the server has no such file ({status})")),
            407 => Error::unreachable(name, "the proxy wants credentials (407)"),
            408 | 425 | 429 | 500..=599 => {
                let wished = text(headers, "retry-after").and_then(|text| text.trim().parse().ok());
                let again = wished.map_or(Again::Later, |s| Again::After(Duration::from_secs(s)));
                let error = Error::unreachable(name, format!("the server answers {status}"));
                return Failure { error, again, came: false };
            }
            _ => Error::unreachable(name, format!("the server answers {status}")),
        };
        error.into()
    }

    /// A request that got no answer.
    pub(super) fn failed(&self, error: ureq::Error) -> Failure {
        let name = &*self.name;
        let unreachable = |why: String| Error::unreachable(name, why);
        let later = |error| Failure { error, again: Again::Later, came: false };
        match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                later(unreachable("no connection in time".to_owned()))
            }
            ureq::Error::Timeout(_) => later(unreachable("no answer in time".to_owned())),
            ureq::Error::HostNotFound => unreachable("there is no such host".to_owned()).into(),
            // The address may hold secrets, and so it is not shown.
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Error::invalid(name, "that is no valid address or header").into()
            }
            ureq::Error::Rustls(error) => self.untrusted(&error).into(),
            ureq::Error::Io(error) => {
                let inner = error.get_ref();
                if let Some(forbidden) = inner.and_then(|it| it.downcast_ref::<Forbidden>()) {
                    return Error::refused(name, forbidden.to_string()).into();
                }
                let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
                match tls {
                    Some(error) => self.untrusted(error).into(),
                    None => later(unreachable(error.to_string())),
                }
            }
            ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) => {
                later(unreachable(error.to_string()))
            }
            other => unreachable(other.to_string()).into(),
        }
    }

    fn untrusted(&self, error: &rustls::Error) -> Error {
        let why = match error {
            rustls::Error::InvalidCertificate(_) => format!(
                "its certificate is not trusted ({error}): name the file of the authority that \
                 signed it"
            ),
            _ => format!("no secure connection: {error}"),
        };
        Error::unreachable(&*self.name, why)
    }

    pub(super) fn misbehaves(&self, why: &str) -> Error {
        Error::unreachable(&*self.name, format!("the server does not serve it rightly: {why}"))
    }

    fn changed(&self, why: &str) -> Error {
        let why = format!("the image changed on the server while it was read: {why}; start again");
        Error::unreachable(&*self.name, why)
    }
}

/// How many more requests may be under way at once.
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

struct Slot<'a>(&'a Slots);

impl Slots {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(count), freed: Condvar::new() }
    }

    fn take(&self) -> Slot<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
