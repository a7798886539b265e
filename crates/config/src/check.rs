//! What makes no sense together, though each of it may stand alone.

use std::path::Path;

use fathom_secret::SecretUrl;

use crate::settings::{Config, TransportType};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    Wrong,
    Warning,
}

/// What is to be said of settings.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) severity: Severity,
    /// The setting that it is about, and the others that it rests on.
    pub(crate) paths: Vec<&'static str>,
    pub(crate) what: String,
}

#[derive(Default)]
struct Judgements(Vec<Judgement>);

impl Judgements {
    fn say(&mut self, severity: Severity, paths: &[&'static str], what: impl Into<String>) {
        self.0.push(Judgement { severity, paths: paths.to_vec(), what: what.into() });
    }

    fn wrong(&mut self, paths: &[&'static str], what: impl Into<String>) {
        self.say(Severity::Wrong, paths, what);
    }

    fn warn(&mut self, paths: &[&'static str], what: impl Into<String>) {
        self.say(Severity::Warning, paths, what);
    }
}

/// Everything that is to be said of the settings.
pub(crate) fn judge(config: &Config) -> Vec<Judgement> {
    let mut judgements = Judgements::default();
    server(config, &mut judgements);
    store(config, &mut judgements);
    buckets(config, &mut judgements);
    transport(config, &mut judgements);
    worker(config, &mut judgements);
    auth(config, &mut judgements);
    backup(config, &mut judgements);
    metrics(config, &mut judgements);
    scan(config, &mut judgements);
    tracing(config, &mut judgements);
    webhooks(config, &mut judgements);
    judgements.0
}

/// A certificate and its key come together or not at all.
fn pair(
    certificate: Option<&Path>,
    key: Option<&Path>,
    paths: [&'static str; 2],
    to: &mut Judgements,
) {
    match (certificate, key) {
        (Some(_), None) => to.wrong(&paths, format!("a certificate needs its key: {}", paths[1])),
        (None, Some(_)) => {
            let paths = [paths[1], paths[0]];
            to.wrong(&paths, format!("a key needs its certificate: {}", paths[1]));
        }
        _ => {}
    }
}

fn server(config: &Config, to: &mut Judgements) {
    let server = &config.server;
    let paths = ["server.tls.certificate", "server.tls.key"];
    pair(server.tls.certificate.as_deref(), server.tls.key.as_deref(), paths, to);
    if server.listen.is_public() && server.tls.certificate.is_none() {
        let what = "others than this host can reach it, and without TLS they send their tokens in the \
                    clear; set server.tls, or let a proxy before it speak TLS";
        to.warn(&["server.listen", "server.tls.certificate"], what);
    }
    if server.request_timeout.is_zero() {
        to.wrong(&["server.request_timeout"], "no request can be answered in no time");
    }
    if server.idle_timeout.is_zero() {
        to.wrong(&["server.idle_timeout"], "no request can be sent in no time");
    }
    if server.body_limit.get() == 0 {
        to.wrong(&["server.body_limit"], "no request has no bytes at all");
    }
    if server.rate_limit.per_second > 0 && server.rate_limit.burst == 0 {
        let what = "with a burst of 0 no request is ever let through; server.rate_limit.per_second of \
                    0 takes the limit away";
        to.wrong(&["server.rate_limit.burst", "server.rate_limit.per_second"], what);
    }
}

fn store(config: &Config, to: &mut Judgements) {
    let store = &config.store;
    let scheme = store.url.scheme();
    if !matches!(scheme.as_deref(), Some("sqlite" | "postgres" | "postgresql")) {
        to.wrong(&["store.url"], "it is neither sqlite://FILE nor postgres://HOST/NAME");
    }
    let location = &store.reports.location;
    if location.starts_with("s3://") {
        in_bucket(config, location, "store.reports.location", to);
    } else if location.contains("://") {
        to.wrong(&["store.reports.location"], "it is neither a folder nor s3://BUCKET/PREFIX");
    }
}

/// An address in one of the buckets.
fn in_bucket(config: &Config, text: &str, path: &'static str, to: &mut Judgements) {
    let rest = text.strip_prefix("s3://").unwrap_or_default();
    let bucket = rest.split('/').next().unwrap_or_default();
    if bucket.is_empty() {
        to.wrong(&[path], "it names no bucket; write s3://BUCKET/PREFIX");
    } else if !config.buckets.iter().any(|it| it.name == bucket) {
        let what = format!("{text:?}: buckets has none that is called {bucket}");
        to.wrong(&[path, "buckets"], what);
    }
}

fn buckets(config: &Config, to: &mut Judgements) {
    let mut names = std::collections::HashSet::new();
    for bucket in &config.buckets {
        let name = &bucket.name;
        if !names.insert(name) {
            to.wrong(&["buckets"], format!("two are called {name:?}"));
        }
        if bucket.access_key.is_some() != bucket.secret_key.is_some() {
            let what = format!("{name}: access_key and secret_key come together or not at all");
            to.wrong(&["buckets"], what);
        }
        if let Some(endpoint) = &bucket.endpoint {
            web(endpoint, "buckets", to);
            let here = ["http://127.", "http://localhost", "http://[::1]"];
            if endpoint.starts_with("http://") && !here.iter().any(|it| endpoint.starts_with(it)) {
                let what = format!(
                    "{name}: over http:// whoever is on the way can read and change it all"
                );
                to.warn(&["buckets"], what);
            }
        }
    }
}

/// Addresses of the web have one of two schemes.
fn web(url: &str, path: &'static str, to: &mut Judgements) {
    if !matches!(SecretUrl::new(url).scheme().as_deref(), Some("http" | "https")) {
        to.wrong(&[path], "it is no address that begins with https:// or http://");
    }
}

/// Whether an address is one of TLS, or of this host.
fn is_safe(url: &str) -> bool {
    let host = |rest: &str| rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_owned();
    match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => !host(rest).is_empty(),
        (_, Some(rest)) => {
            rest.starts_with("[::1]") || matches!(host(rest).as_str(), "localhost" | "127.0.0.1")
        }
        _ => false,
    }
}

fn transport(config: &Config, to: &mut Judgements) {
    const URL: &str = "transport.config.url";
    const URLS: &str = "transport.config.urls";
    const TYPE: &str = "transport.type";
    let (kind, transport) = (config.transport.kind, &config.transport.config);
    if transport.auto_ack {
        let what = "true is not taken: a job would count as done when it is handed out, and be lost \
                    with its worker; jobs are acknowledged when they are done";
        to.wrong(&["transport.config.auto_ack"], what);
    }
    if transport.prefetch == 0 {
        let what = "0 means without limit to a broker, so that one worker would be handed all jobs; \
                    it is 1 or more";
        to.wrong(&["transport.config.prefetch"], what);
    }
    if transport.url.is_some() && !transport.urls.is_empty() {
        to.wrong(&[URLS, URL], "transport.config.url is set as well; one of them must go");
    }
    let (name, schemes): (_, &[&str]) = match kind {
        TransportType::Store => ("store", &[]),
        TransportType::Folder => ("folder", &[]),
        TransportType::Http => ("http", &["http", "https"]),
        TransportType::Redis => ("redis", &["redis", "rediss"]),
        TransportType::Amqp => ("amqp", &["amqp", "amqps"]),
        TransportType::Kafka => ("kafka", &[]),
    };
    let addressed = !matches!(kind, TransportType::Store | TransportType::Folder);
    if addressed && transport.addresses().next().is_none() {
        to.wrong(&[TYPE, URL, URLS], format!("{name} needs {URL}"));
    }
    if !addressed && transport.addresses().next().is_some() {
        to.warn(&[TYPE, URL, URLS], format!("{name} has no use for {URL}"));
    }
    for url in transport.addresses().filter(|_| !schemes.is_empty()) {
        if !url.scheme().is_some_and(|scheme| schemes.contains(&scheme.as_str())) {
            let begin: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
            let path = if transport.url.is_some() { URL } else { URLS };
            let what = format!("an address of {name} begins with {}", begin.join(" or "));
            to.wrong(&[path, TYPE], what);
        }
    }
    if kind == TransportType::Folder && transport.folder.is_none() {
        to.wrong(&[TYPE, "transport.config.folder"], "folder needs transport.config.folder");
    }
    if transport.password.is_some() && transport.username.is_none() && kind != TransportType::Redis
    {
        let paths = ["transport.config.password", "transport.config.username"];
        to.warn(&paths, "a password without a transport.config.username is not used");
    }
    for (path, text) in [
        ("transport.config.exchange", &transport.exchange),
        ("transport.config.queue", &transport.queue),
        ("transport.config.group", &transport.group),
        ("transport.config.stream", &transport.stream),
        ("transport.config.topic", &transport.topic),
    ] {
        if text.is_empty() {
            to.wrong(&[path], "it is empty");
        }
    }
    let paths = ["transport.config.tls.certificate", "transport.config.tls.key"];
    pair(transport.tls.certificate.as_deref(), transport.tls.key.as_deref(), paths, to);
}

fn worker(config: &Config, to: &mut Judgements) {
    let worker = &config.worker;
    if worker.heartbeat.is_zero() {
        to.wrong(&["worker.heartbeat"], "it cannot be 0");
    }
    if worker.heartbeat.get().saturating_mul(2) > worker.lease.get() {
        let what = "a lease must outlive two heartbeats, or jobs are taken from workers that are well; \
                    make it at least twice worker.heartbeat";
        to.wrong(&["worker.lease", "worker.heartbeat"], what);
    }
    for (path, span) in
        [("worker.limits.cpu", worker.limits.cpu), ("worker.limits.time", worker.limits.time)]
    {
        if span.get().as_secs() == 0 {
            to.wrong(&[path], "no job is done in less than a second");
        }
    }
    if worker.limits.memory.get() < 64 << 20 {
        to.wrong(&["worker.limits.memory"], "no image can be looked at with less than 64MiB");
    }
    for root in &worker.image_roots {
        if !root.is_absolute() {
            let what = format!("{:?} does not begin with /", root.display().to_string());
            to.wrong(&["worker.image_roots"], what);
        } else if root == Path::new("/") {
            to.warn(&["worker.image_roots"], "/ lets jobs read every file that this user can read");
        }
    }
    for place in &worker.results {
        if place.starts_with("s3://") {
            in_bucket(config, place, "worker.results", to);
        } else if !place.starts_with('/') {
            let what =
                format!("{place:?} is neither a folder that begins with / nor s3://BUCKET/…");
            to.wrong(&["worker.results"], what);
        }
    }
    for place in &worker.s3_allowed {
        if place.starts_with("s3://") {
            in_bucket(config, place, "worker.s3_allowed", to);
        } else {
            to.wrong(&["worker.s3_allowed"], format!("{place:?} does not begin with s3://"));
        }
    }
    for host in &worker.https_allowed {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let fits = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if name.is_empty() || name.contains("://") || !name.chars().all(fits) {
            let what = format!("{host:?} is no name of a host, as images.example.com");
            to.wrong(&["worker.https_allowed"], what);
        }
    }
}

fn auth(config: &Config, to: &mut Judgements) {
    let oidc = &config.auth.oidc;
    if !config.auth.enabled && config.server.listen.is_public() {
        let what = "false: everybody who reaches server.listen may do everything";
        to.warn(&["auth.enabled", "server.listen"], what);
    }
    match (&oidc.issuer, &oidc.audience) {
        (Some(_), None) => {
            let what =
                "tokens that the issuer made for others would be taken; set auth.oidc.audience";
            to.wrong(&["auth.oidc.issuer", "auth.oidc.audience"], what);
        }
        (None, Some(_)) => {
            let what = "it has no use without auth.oidc.issuer";
            to.warn(&["auth.oidc.audience", "auth.oidc.issuer"], what);
        }
        _ => {}
    }
    for (path, url) in [("auth.oidc.issuer", &oidc.issuer), ("auth.oidc.jwks_url", &oidc.jwks_url)]
    {
        let Some(url) = url else { continue };
        if !is_safe(url) {
            let what = "it does not begin with https://; without TLS whoever is on the way could make \
                        users of their own";
            to.wrong(&[path], what);
        }
    }
    if oidc.leeway.get().as_secs() > 600 {
        let what = "tokens would count more than ten minutes after they have expired";
        to.wrong(&["auth.oidc.leeway"], what);
    }
    if config.auth.enabled && !config.auth.tokens.enabled && oidc.issuer.is_none() {
        let what = "without tokens and without auth.oidc.issuer only users who log in can use the API \
                    (fathom user)";
        to.warn(&["auth.tokens.enabled", "auth.oidc.issuer"], what);
    }
    if config.auth.users.session_lifetime.is_zero() {
        to.wrong(&["auth.users.session_lifetime"], "no login would count");
    }
    if let Some(token) = &config.auth.tokens.bootstrap
        && token.expose().len() < 16
    {
        let what = "it can be guessed: it has fewer than 16 characters";
        to.wrong(&["auth.tokens.bootstrap"], what);
    }
}

fn backup(config: &Config, to: &mut Judgements) {
    let kept = &config.backup.retention;
    if [kept.keep_last, kept.keep_daily, kept.keep_weekly, kept.keep_monthly] == [0; 4] {
        let what = "all of them are 0, so that no backup would be kept";
        to.wrong(&["backup.retention"], what);
    }
}

fn metrics(config: &Config, to: &mut Judgements) {
    let (metrics, api) = (&config.metrics, config.server.listen.get());
    if !metrics.enabled {
        return;
    }
    let (ours, theirs) = (metrics.listen, api.ip());
    let meet = ours == theirs || ours.is_unspecified() || theirs.is_unspecified();
    if metrics.port == api.port() && meet {
        let what = format!("{} is the port of the API (server.listen)", metrics.port);
        to.wrong(&["metrics.port", "server.listen", "metrics.listen"], what);
    }
    if !metrics.path.starts_with('/') {
        to.wrong(&["metrics.path"], "it does not begin with /");
    }
}

fn scan(config: &Config, to: &mut Judgements) {
    let scan = &config.scan;
    if let Some(url) = &scan.matcher_url {
        web(url.expose(), "scan.matcher_url", to);
    }
    if scan.timeout.is_zero() {
        to.wrong(&["scan.timeout"], "nothing is compared in no time");
    }
}

fn tracing(config: &Config, to: &mut Judgements) {
    if let Some(url) = &config.tracing.otlp_endpoint {
        web(url, "tracing.otlp_endpoint", to);
        if url.contains('@') {
            let what = "it is shown, and secrets are not; they go into tracing.otlp_headers";
            to.wrong(&["tracing.otlp_endpoint"], what);
        }
    }
    for header in &config.tracing.otlp_headers {
        let parts = header.expose().split_once(':');
        let token = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let fits = parts.is_some_and(|(name, value)| {
            !name.is_empty() && name.chars().all(token) && !value.chars().any(char::is_control)
        });
        if !fits {
            to.wrong(&["tracing.otlp_headers"], "one of them is no header as NAME: VALUE");
        }
    }
}

fn webhooks(config: &Config, to: &mut Judgements) {
    let mut names = std::collections::HashSet::new();
    for webhook in &config.webhooks {
        if !names.insert(&webhook.name) {
            to.wrong(&["webhooks"], format!("two are called {:?}", webhook.name));
        }
        web(webhook.url.expose(), "webhooks", to);
        let name = &webhook.name;
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            to.wrong(&["webhooks"], "a name has 1 to 100 characters, none of which is strange");
        }
        if webhook.timeout.is_zero() || webhook.give_up.is_zero() {
            let what = format!("{name}: nothing is told in no time (timeout, give_up)");
            to.wrong(&["webhooks"], what);
        }
        if webhook.secret.is_none() {
            let what = format!(
                "{name}: without a secret whoever knows the address can send it messages as ours"
            );
            to.warn(&["webhooks"], what);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Environment, Overrides, load_bytes};

    /// What is said of the file: problems, then warnings.
    fn said(text: &str) -> (Vec<String>, Vec<String>) {
        let environment = Environment::default();
        let (problems, warnings) =
            match load_bytes("", text.as_bytes(), &environment, &Overrides::new()) {
                Ok(loaded) => (Vec::new(), loaded.warnings),
                Err(refused) => (refused.problems, refused.warnings),
            };
        let shown = |problems: Vec<crate::Problem>| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        (shown(problems), shown(warnings))
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, path, why) in [
            ("server: {tls: {certificate: /a}}", "server.tls.certificate", "needs its key"),
            ("server: {tls: {key: /a}}", "server.tls.key", "needs its certificate"),
            ("server: {request_timeout: 0s}", "server.request_timeout", "no time"),
            ("server: {idle_timeout: 0s}", "server.idle_timeout", "no time"),
            ("server: {body_limit: 0B}", "server.body_limit", "no bytes"),
            ("server: {rate_limit: {burst: 0}}", "server.rate_limit.burst", "no request is ever"),
            ("store: {url: 'mysql://h'}", "store.url", "neither sqlite://FILE"),
            ("store: {reports: {location: 's3://'}}", "store.reports.location", "no bucket"),
            (
                "store: {reports: {location: 's3://other/x'}}",
                "store.reports.location",
                "none that is",
            ),
            ("buckets: [{name: a}, {name: a}]", "buckets", "two are called"),
            ("buckets: [{name: a, access_key: b}]", "buckets", "come together"),
            ("buckets: [{name: a, endpoint: b}]", "buckets", "https://"),
            ("worker: {results: [here]}", "worker.results", "neither a folder"),
            ("worker: {results: ['s3://a/b']}", "worker.results", "none that is called a"),
            ("worker: {s3_allowed: ['s3://']}", "worker.s3_allowed", "no bucket"),
            ("worker: {s3_allowed: ['/a']}", "worker.s3_allowed", "begin with s3://"),
            ("webhooks: [{name: '', url: 'https://h'}]", "webhooks", "1 to 100"),
            ("webhooks: [{name: a, url: 'https://h', timeout: 0s}]", "webhooks", "no time"),
            (
                "store: {reports: {location: 'ftp://h'}}",
                "store.reports.location",
                "neither a folder",
            ),
            ("transport: {config: {auto_ack: true}}", "transport.config.auto_ack", "be lost"),
            ("transport: {config: {prefetch: 0}}", "transport.config.prefetch", "without limit"),
            ("transport: {type: amqp}", "transport.type", "amqp needs transport.config.url"),
            ("transport: {type: folder}", "transport.type", "needs transport.config.folder"),
            (
                "transport: {type: amqp, config: {url: 'redis://h'}}",
                "transport.config.url",
                "begins with amqp:// or amqps://",
            ),
            (
                "transport: {type: redis, config: {url: 'redis://h', urls: ['redis://i']}}",
                "transport.config.urls",
                "one of them must go",
            ),
            ("transport: {config: {queue: ''}}", "transport.config.queue", "it is empty"),
            ("transport: {config: {tls: {key: /a}}}", "transport.config.tls.key", "certificate"),
            ("worker: {lease: 20s}", "worker.lease", "two heartbeats"),
            ("worker: {heartbeat: 0s}", "worker.heartbeat", "cannot be 0"),
            ("worker: {limits: {memory: 1MiB}}", "worker.limits.memory", "64MiB"),
            ("worker: {limits: {cpu: 0s}}", "worker.limits.cpu", "less than a second"),
            ("worker: {image_roots: [images]}", "worker.image_roots", "does not begin with /"),
            ("worker: {https_allowed: ['https://h']}", "worker.https_allowed", "no name of a host"),
            ("auth: {oidc: {issuer: 'https://h'}}", "auth.oidc.issuer", "set auth.oidc.audience"),
            (
                "auth: {oidc: {issuer: 'http://h', audience: a}}",
                "auth.oidc.issuer",
                "users of their own",
            ),
            (
                "auth: {oidc: {issuer: 'http://localhost.h', audience: a}}",
                "auth.oidc.issuer",
                "https://",
            ),
            ("auth: {oidc: {leeway: 1h}}", "auth.oidc.leeway", "ten minutes"),
            (
                "auth: {users: {session_lifetime: 0s}}",
                "auth.users.session_lifetime",
                "no login would count",
            ),
            ("auth: {tokens: {bootstrap: short}}", "auth.tokens.bootstrap", "guessed"),
            (
                "backup: {retention: {keep_last: 0, keep_daily: 0, keep_weekly: 0, keep_monthly: 0}}",
                "backup.retention",
                "no backup would be kept",
            ),
            ("metrics: {port: 8080}", "metrics.port", "is the port of the API"),
            ("metrics: {path: metrics}", "metrics.path", "does not begin with /"),
            ("scan: {matcher_url: 'ftp://h'}", "scan.matcher_url", "https://"),
            ("tracing: {otlp_endpoint: h}", "tracing.otlp_endpoint", "https://"),
            ("tracing: {otlp_endpoint: 'https://u:p@h'}", "tracing.otlp_endpoint", "otlp_headers"),
            ("tracing: {otlp_headers: [secret]}", "tracing.otlp_headers", "NAME: VALUE"),
            ("tracing: {otlp_headers: ['a b: c']}", "tracing.otlp_headers", "NAME: VALUE"),
            ("webhooks: [{name: a, url: h}]", "webhooks", "https://"),
            (
                "webhooks: [{name: a, url: 'https://h'}, {name: a, url: 'https://i'}]",
                "webhooks",
                "two are called",
            ),
        ] {
            let (problems, _) = said(text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(&format!("{path}: ")), "{text}: {problems:?}");
            assert!(problems[0].contains(why), "{text}: {problems:?}");
        }
    }

    #[test]
    fn what_may_be_wrong_is_warned_about() {
        for (text, why) in [
            ("server: {listen: '0.0.0.0:8080'}", "in the clear"),
            (
                "auth: {enabled: false}\nserver: {listen: '[::]:80', tls: {certificate: /a, key: /b}}",
                "may do everything",
            ),
            ("worker: {image_roots: [/]}", "every file"),
            ("auth: {tokens: {enabled: false}}", "only users who log in"),
            ("webhooks: [{name: a, url: 'https://h'}]", "as ours"),
            ("buckets: [{name: a, endpoint: 'http://s3.example.org'}]", "read and change"),
            ("transport: {config: {url: 'amqp://h'}}", "store has no use for"),
        ] {
            let (problems, warnings) = said(text);
            assert!(problems.is_empty(), "{text}: {problems:?}");
            assert!(warnings.len() == 1 && warnings[0].contains(why), "{text}: {warnings:?}");
        }
        let fine = "metrics: {port: 8080, listen: 127.0.0.2}\nserver: {listen: '127.0.0.1:8080'}";
        assert_eq!(said(fine), (Vec::new(), Vec::new()));
        let near = "auth: {oidc: {issuer: 'http://127.0.0.1:9000/a', audience: a}}";
        assert_eq!(said(near), (Vec::new(), Vec::new()));
        assert_eq!(said("metrics: {port: 8080, enabled: false}"), (Vec::new(), Vec::new()));
        assert_eq!(said(""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn nothing_is_said_of_what_could_not_be_taken() {
        let (problems, _) = said("worker: {lease: 10s, heartbeat: 5 parsecs}");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("worker.heartbeat: "));
    }
}
