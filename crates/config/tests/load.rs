//! What wins, what is refused, and that secrets are never shown.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use fathom_config::{
    Environment, Loaded, Origin, Overrides, Refused, Setting, load_bytes, settings, variable,
};
use serde_json::{Value, json};

fn load(text: &str) -> Result<Loaded, Refused> {
    load_bytes("f.yaml", text.as_bytes(), &Environment::default(), &Overrides::new())
}

/// The only problem of a file.
fn problem(text: &str) -> String {
    let refused = load(text).unwrap_err();
    assert_eq!(refused.problems.len(), 1, "{text}: {refused}");
    refused.to_string()
}

fn page_example() -> String {
    let page = fathom_config::page();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn example_environment() -> Environment {
    Environment::from_iter([
        ("DATABASE_URL", "postgres://fathom:hush@db.example.com/fathom"),
        ("S3_SECRET_KEY", "hush"),
        ("RABBITMQ_PASSWORD", "hush"),
        ("WEBHOOK_SECRET", "hush"),
    ])
}

#[test]
fn the_example_of_the_page_loads_and_holds_every_group() {
    let text = page_example();
    let loaded =
        load_bytes("f.yaml", text.as_bytes(), &example_environment(), &Overrides::new()).unwrap();
    assert_eq!(loaded.warnings, []);
    let config = loaded.config;
    assert_eq!(config.transport.config.addresses().count(), 2);
    assert_eq!(config.store.url.expose(), "postgres://fathom:hush@db.example.com/fathom");
    assert_eq!(config.worker.lease.get(), Duration::from_secs(60));
    assert_eq!(config.webhooks[0].secret.as_ref().unwrap().expose(), "hush");
    let schema = fathom_config::schema();
    for group in schema["properties"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("\n{group}:")), "{group}");
    }
}

/// Two different values of the setting, as they are written on one line, and as they are shown.
fn two_values(setting: &Setting) -> [(String, Value); 2] {
    let texts =
        |one: &str, other: &str| [(one.to_owned(), json!(one)), (other.to_owned(), json!(other))];
    match setting.path.as_str() {
        "webhooks" => ["a", "b"].map(|name| {
            let shown = json!([{
                "name": name, "url": "https://h", "secret": "***", "events": [],
                "namespaces": [], "networks": [], "ca_file": null, "timeout": "10s", "give_up": "1d",
            }]);
            (format!("[{{name: {name}, url: 'https://h', secret: s}}]"), shown)
        }),
        "buckets" => ["a", "b"].map(|name| {
            let shown = json!([{
                "name": name, "endpoint": null, "region": "us-east-1", "access_key": null,
                "secret_key": null, "path_style": null, "conditional_writes": true, "ca_file": null,
            }]);
            (format!("[{{name: {name}}}]"), shown)
        }),
        "worker.s3_allowed" => ["s3://a/", "s3://a/b"].map(|text| (text.to_owned(), json!([text]))),
        "worker.results" => ["/a", "/b"].map(|text| (text.to_owned(), json!([text]))),
        "store.url" => texts("sqlite:///a", "sqlite:///b"),
        "transport.config.url" => texts("amqp://a", "amqp://b"),
        "transport.config.urls" => {
            ["amqp://a", "amqp://b"].map(|url| (url.to_owned(), json!([url])))
        }
        "scan.matcher_url" => texts("https://a", "https://b"),
        "auth.oidc.issuer" | "auth.oidc.jwks_url" | "tracing.otlp_endpoint" => {
            texts("https://a", "https://b")
        }
        "metrics.path" => texts("/a", "/b"),
        "metrics.listen" => texts("127.0.0.2", "127.0.0.3"),
        "server.listen" => texts("127.0.0.1:1", "127.0.0.1:2"),
        "transport.config.prefetch" => [("3".into(), json!(3)), ("4".into(), json!(4))],
        "worker.limits.open_files" => [("30".into(), json!(30)), ("40".into(), json!(40))],
        "worker.lease" => texts("2m", "3m"),
        "worker.heartbeat" => texts("1s", "2s"),
        "worker.image_roots" => ["/a", "/b"].map(|text| (text.to_owned(), json!([text]))),
        "server.trusted_proxies" | "security.ip_allowlist" => {
            ["10.0.0.0/8", "192.0.2.0/24"].map(|text| (text.to_owned(), json!([text])))
        }
        "tracing.otlp_headers" => {
            ["a: one", "b: other"].map(|header| (header.to_owned(), json!(["***"])))
        }
        path if setting.secret => [
            (format!("{path}-one-{}", "x".repeat(16)), json!("***")),
            (format!("{path}-other-{}", "x".repeat(16)), json!("***")),
        ],
        _ if !setting.choices.is_empty() => {
            let first = &setting.choices[0];
            let last = setting.choices.last().unwrap();
            texts(first, last)
        }
        _ => match &setting.default {
            Value::Bool(_) => [("true".into(), json!(true)), ("false".into(), json!(false))],
            Value::Number(number) if number.is_f64() => {
                [("0.25".into(), json!(0.25)), ("0.5".into(), json!(0.5))]
            }
            Value::Number(_) => [("17".into(), json!(17)), ("18".into(), json!(18))],
            Value::Array(_) => ["a", "b"].map(|text| (text.to_owned(), json!([text]))),
            Value::String(text) if text.parse::<fathom_config::Span>().is_ok() => {
                texts("41s", "42s")
            }
            Value::String(text) if text.parse::<fathom_config::Size>().is_ok() => {
                texts("641MiB", "642MiB")
            }
            Value::Null if setting.path.contains("retention") => texts("41s", "42s"),
            _ => texts("/a", "/b"),
        },
    }
}

/// What the file has to hold besides, so that the setting makes sense.
fn beside(path: &str) -> Vec<(&'static str, &'static str)> {
    match path {
        "server.tls.certificate" => vec![("server.tls.key", "/k")],
        "server.tls.key" => vec![("server.tls.certificate", "/c")],
        "transport.config.tls.certificate" => vec![("transport.config.tls.key", "/k")],
        "transport.config.tls.key" => vec![("transport.config.tls.certificate", "/c")],
        "worker.s3_allowed" => vec![("buckets", "[{name: a}]")],
        "auth.oidc.issuer" => vec![("auth.oidc.audience", "a")],
        "auth.tokens.enabled" => {
            vec![("auth.oidc.issuer", "https://h"), ("auth.oidc.audience", "a")]
        }
        "transport.type" => {
            vec![("transport.config.url", "redis://h"), ("transport.config.folder", "/f")]
        }
        _ => vec![],
    }
}

/// The value of the setting as it is shown.
fn at(loaded: &Loaded, path: &str) -> Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    loaded.to_json().pointer(&pointer).unwrap().clone()
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_the_default() {
    for setting in settings() {
        let path = setting.path.as_str();
        if path == "transport.config.auto_ack" {
            continue;
        }
        let [mut one, mut other] = two_values(&setting);
        if path == "transport.type" {
            // Its other words need addresses that begin otherwise.
            one = ("store".into(), json!("store"));
            other = ("redis".into(), json!("redis"));
        }
        let besides = beside(path);
        // A list of tables is written in the file as it is in the environment.
        let file = |text: &str| match (setting.default.is_array(), text.starts_with('[')) {
            (_, true) => yaml(path, text),
            (true, false) => yaml(path, &format!("[{text:?}]")),
            (false, false) => yaml(path, &format!("{text:?}")),
        };
        let base: Vec<(String, String)> =
            besides.iter().map(|(path, text)| (variable(path), (*text).to_owned())).collect();
        let shown = |file: &str, variable: Option<&str>, flag: Option<&str>| {
            let mut environment = base.clone();
            environment.extend(variable.map(|text| (setting.variable.clone(), text.to_owned())));
            let mut overrides = Overrides::new();
            if let Some(text) = flag {
                overrides = overrides.set(path, text);
            }
            let environment = Environment::from_iter(environment);
            let loaded = load_bytes("f.yaml", file.as_bytes(), &environment, &overrides);
            let loaded = loaded.unwrap_or_else(|refused| panic!("{path}: {file}: {refused}"));
            (at(&loaded, path), loaded.origin(path))
        };
        let nothing = load("").unwrap();
        let (value, origin) = (at(&nothing, path), nothing.origin(path));
        assert_eq!((value, origin), (setting.default.clone(), Origin::Default), "{path}");
        let (value, origin) = shown(&file(&one.0), None, None);
        assert_eq!(value, one.1, "{path}");
        assert!(matches!(origin, Origin::File { line: 1, .. }), "{path}");
        let (value, origin) = shown(&file(&one.0), Some(&other.0), None);
        assert_eq!(value, other.1, "{path}");
        assert_eq!(origin, Origin::Environment(setting.variable.clone()), "{path}");
        let (value, origin) = shown(&file(&other.0), Some(&other.0), Some(&one.0));
        assert_eq!((value, origin), (one.1.clone(), Origin::Flag), "{path}");
    }
}

#[test]
fn every_misspelled_key_is_refused_with_what_was_meant() {
    let mut seen = std::collections::BTreeSet::new();
    for setting in settings() {
        let keys: Vec<_> = setting.path.split('.').collect();
        for depth in 0..keys.len() {
            if !seen.insert(keys[..=depth].join(".")) {
                continue;
            }
            // Two letters change places, or one is there twice.
            let key = keys[depth];
            let wrong = match key.char_indices().nth(1) {
                Some((at, _)) => format!("{}{}", &key[..at], key),
                None => format!("{key}{key}"),
            };
            let mut text = String::new();
            for (level, group) in keys[..depth].iter().enumerate() {
                text.push_str(&format!("{}{group}:\n", "  ".repeat(level)));
            }
            text.push_str(&format!("{}{wrong}: x\n", "  ".repeat(depth)));
            let group = keys[..depth].iter().map(|key| format!("{key}.")).collect::<String>();
            let (line, column) = (depth + 1, 2 * depth + 1);
            let expected = format!(
                "f.yaml:{line}:{column}: {group}{wrong}: there is no such setting; did you mean \
                 {group}{key}?"
            );
            assert_eq!(problem(&text), expected, "{text}");
        }
    }
    assert!(seen.len() > 100);
    assert_eq!(
        problem("transport:\n  conifg:\n    url: x\n"),
        "f.yaml:2:3: transport.conifg: there is no such setting; did you mean transport.config?"
    );
    assert_eq!(problem("zebra: 1"), "f.yaml:1:1: zebra: there is no such setting");
    assert_eq!(
        problem("webhooks:\n- name: a\n  url: https://h\n  evnets: []\n"),
        "f.yaml:4:3: webhooks[0].evnets: there is no such setting; did you mean webhooks[0].events?"
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "server:\n  listen: 8080\n  page_limit: 0\nlog: {level: loud}\nstroe: {}\n\
                worker: {lease: 60}\ntransport: {config: {auto_ack: true, durable: maybe}}\n\
                webhooks: [{url: 'https://h'}]\nlog: {}\n";
    let refused = load(text).unwrap_err().to_string();
    for expected in [
        "f.yaml:2:11: server.listen: \"8080\" is no IP address and port; write it as 127.0.0.1:8080 \
         or [::]:8080",
        "f.yaml:3:15: server.page_limit: 0 is not from 1 to 4294967295",
        "f.yaml:4:14: log.level: there is no \"loud\"; it is one of error, warn, info, debug, trace",
        "f.yaml:5:1: stroe: there is no such setting; did you mean store?",
        "f.yaml:6:17: worker.lease: 60 of what? Write 60s for seconds, 60m for minutes",
        "f.yaml:7:32: transport.config.auto_ack: true is not taken",
        "f.yaml:7:47: transport.config.durable: \"maybe\" is neither true nor false",
        "f.yaml:8:12: webhooks[0]: name is missing",
        "f.yaml:9:1: \"log\" stands here again; it is on line 4",
    ] {
        assert!(refused.contains(expected), "{expected}\nis not in\n{refused}");
    }
    assert_eq!(refused.lines().count(), 9, "{refused}");
}

#[test]
fn values_of_the_wrong_kind() {
    for (text, why) in [
        ("server: 5", "server: a group of settings stands here"),
        ("server: [a]", "server: a group of settings stands here"),
        ("server: {listen: [a]}", "server.listen: one value stands here, not a list"),
        ("server: {listen: {a: b}}", "server.listen: one value stands here, not a group"),
        ("security: {ip_allowlist: {allowed: []}}", "security.ip_allowlist: a list stands here"),
        ("security: {ip_allowlist: [10.0.0.1/8]}", "security.ip_allowlist[0]: "),
        ("security: {ip_allowlist: [~]}", "security.ip_allowlist[0]: nothing stands here"),
        ("- a", "groups of settings stand here"),
        ("text", "groups of settings stand here"),
        ("metrics: {port: 70000}", "metrics.port: 70000 is not from 1 to 65535"),
        ("transport: {config: {password: [a]}}", "a secret is a text, or {file: PATH}"),
        ("transport: {config: {password: {fiel: a}}}", "there is no fiel; did you mean file?"),
        ("transport: {config: {password: {file: /nowhere}}}", "cannot be read"),
        ("transport: {config: {password: {env: NOWHERE}}}", "no environment variable NOWHERE"),
        ("transport: {config: {password: ''}}", "it is empty"),
    ] {
        assert!(problem(text).contains(why), "{text}: {}", problem(text));
    }
    // Nothing behind a key means that it is not set.
    let loaded = load("server:\nlog: ~\nstore: {url: null}\nwebhooks:\n").unwrap();
    assert_eq!(loaded.origin("store.url"), Origin::Default);
    // Texts may look like numbers.
    let loaded = load("worker: {id: 17, pool: 1.10}").unwrap();
    assert_eq!(loaded.config.worker.id.as_deref(), Some("17"));
    assert_eq!(loaded.config.worker.pool, "1.10");
}

#[test]
fn files_that_are_no_settings() {
    let deep = |open: &str, count: usize| open.repeat(count);
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        bomb +=
            &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(","));
    }
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (bomb.into_bytes(), "anchors are not taken"),
        (b"server: {listen: *x}".to_vec(), "unknown anchor"),
        (deep("[", 100_000).into_bytes(), ""),
        (deep("{a: ", 100_000).into_bytes(), ""),
        (deep("- ", 100_000).into_bytes(), ""),
        (format!("a: {}{}", deep("[", 40), deep("]", 40)).into_bytes(), "levels deep"),
        (format!("webhooks: [{}]", "a, ".repeat(60_000)).into_bytes(), "more than 50000 values"),
        (vec![b'#'; 10 << 20], "more than 1048576 bytes"),
        (b"log: {level: \xff}".to_vec(), "not UTF-8, from byte 13 on"),
        (b"log: &a {}\nserver:\n  <<: *a\n".to_vec(), "anchors are not taken"),
        (b"server:\n  <<: {listen: a}\n".to_vec(), "not merged into another (<<)"),
        (b"server:\n\tlisten: a\n".to_vec(), "no YAML"),
        (b"log: {}\nlog: {}\n".to_vec(), "f.yaml:2:1: \"log\" stands here again; it is on line 1"),
        (b"log: {level: info, level: warn}".to_vec(), "f.yaml:1:20: \"level\" stands here again"),
        (b"log: {}\n---\nlog: {}\n".to_vec(), "a second document begins"),
        (b"log: !!map {}\n".to_vec(), "tags are not taken"),
        (b"? [a]\n: b\n".to_vec(), "a key must be a text"),
        (b"log: {".to_vec(), "no YAML"),
        (b"log: 'a".to_vec(), "no YAML"),
    ];
    for (bytes, why) in cases {
        let begun = Instant::now();
        let refused = load_bytes("f.yaml", &bytes, &Environment::default(), &Overrides::new());
        let shown = refused.unwrap_err().to_string();
        assert!(shown.contains(why), "{why}: {shown}");
        assert!(shown.len() < 100_000 && begun.elapsed() < Duration::from_secs(20), "{why}");
    }
    let name = ["x".repeat(100_000), "y".repeat(100_000)].join(": 1\n");
    let shown = load(&format!("{name}: 1")).unwrap_err().to_string();
    assert!(shown.len() < 1000);
    for fine in [
        "",
        "# only a comment",
        "---\n",
        "\u{feff}log: {level: warn}",
        "log: {}\r\n",
        "--- {}\n...\n",
    ] {
        load(fine).unwrap_or_else(|refused| panic!("{fine:?}: {refused}"));
    }
}

const CANARY: &str = "c4n4ry";

fn shows_no_canary(text: &str, what: &str) {
    assert!(!text.contains(CANARY), "{what}: {text}");
}

#[test]
fn secrets_are_never_shown() {
    let long = format!("{CANARY}-{CANARY}-{CANARY}");
    for setting in settings().into_iter().filter(|setting| setting.secret) {
        let path = setting.path.as_str();
        let text = match path {
            "store.url" => format!("postgres://u:{long}@h/d?password={long}"),
            "transport.config.url" | "transport.config.urls" => format!("amqp://u:{long}@h"),
            "scan.matcher_url" => format!("https://{long}@h/?token={long}"),
            _ => long.clone(),
        };
        for way in 0..3 {
            let file = if way == 0 { yaml(path, &format!("{text:?}")) } else { String::new() };
            let environment = match way {
                1 => Environment::from_iter([(setting.variable.clone(), text.clone())]),
                _ => Environment::default(),
            };
            let mut overrides = Overrides::new();
            if way == 2 {
                overrides.assign(&format!("{path}={text}")).unwrap();
            }
            shows_no_canary(&format!("{environment:?} {overrides:?}"), path);
            shown_of(&load_bytes("f.yaml", file.as_bytes(), &environment, &overrides), path);
        }
        // Where something else stands there.
        for wrong in
            [format!("[{long}]"), format!("{{{long}: 1}}"), format!("{{file: a, x: {long}}}")]
        {
            // A list of secrets has them in it.
            let wrong = if setting.default.is_array() { format!("[{wrong}]") } else { wrong };
            shown_of(&load(&yaml(path, &wrong)), path);
        }
    }
    let webhook = format!(
        "webhooks: [{{name: a, url: 'https://u:{long}@h/?x={long}', secret: {long}, timeout: 5}}]"
    );
    shown_of(&load(&webhook), "webhooks");
    shown_of(&load(&webhook.replace(", timeout: 5", "")), "webhooks");
    for broken in
        ["password: \"", "password: *", "password: &", "password: @", "password: !", "password: ? "]
    {
        shown_of(&load(&format!("transport: {{config: {{{broken}{long}}}}}")), broken);
        shown_of(&load(&format!("transport:\n  config:\n    {broken}{long}\n")), broken);
    }
}

/// A file with one setting.
fn yaml(path: &str, text: &str) -> String {
    let keys: Vec<_> = path.split('.').collect();
    let open = keys.join(": {");
    let list = path == "transport.config.urls" && !text.starts_with(['[', '{']);
    let text = if list { format!("[{text}]") } else { text.to_owned() };
    format!("{open}: {text}{}", "}".repeat(keys.len() - 1))
}

fn shown_of(outcome: &Result<Loaded, Refused>, what: &str) {
    match outcome {
        Ok(loaded) => {
            shows_no_canary(&format!("{loaded:?} {:?}", loaded.config), what);
            shows_no_canary(&loaded.to_yaml(true), what);
            shows_no_canary(&loaded.to_json_with_origins().to_string(), what);
        }
        Err(refused) => {
            shows_no_canary(&refused.to_string(), what);
            shows_no_canary(&format!("{refused:?}"), what);
        }
    }
}

#[test]
fn secrets_of_files_and_variables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "hush\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let shown = path.to_str().unwrap();
    let password = |loaded: &Loaded| {
        loaded.config.transport.config.password.as_ref().unwrap().expose().to_owned()
    };
    let beside = "transport: {config: {username: u}}";
    let file = format!("transport: {{config: {{username: u, password: {{file: {shown:?}}}}}}}");
    let loaded = load(&file).unwrap();
    assert_eq!((password(&loaded), loaded.warnings.len()), ("hush".into(), 0));
    let of_file = Environment::from_iter([("FATHOM_TRANSPORT_CONFIG_PASSWORD_FILE", shown)]);
    let loaded = load_bytes("", beside.as_bytes(), &of_file, &Overrides::new()).unwrap();
    assert_eq!(password(&loaded), "hush");
    let origin = "environment FATHOM_TRANSPORT_CONFIG_PASSWORD_FILE";
    assert_eq!(loaded.origin("transport.config.password").to_string(), origin);
    let typed = Overrides::new().set("transport.config.password.file", shown);
    let loaded = load_bytes("", beside.as_bytes(), &Environment::default(), &typed).unwrap();
    assert_eq!(password(&loaded), "hush");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let loaded = load(&file).unwrap();
    assert!(loaded.warnings[0].what.contains("everybody on this host can read"));
    let both = Environment::from_iter([
        ("FATHOM_TRANSPORT_CONFIG_PASSWORD_FILE", shown),
        ("FATHOM_TRANSPORT_CONFIG_PASSWORD", "x"),
    ]);
    let refused = load_bytes("", b"", &both, &Overrides::new()).unwrap_err();
    assert!(refused.to_string().contains("is set as well"), "{refused}");
}

#[test]
fn a_file_with_secrets_that_everybody_reads_is_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fathom.yaml");
    let warnings = |text: &str, mode: u32| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let sources = fathom_config::Sources {
            file: Some(path.clone()),
            ..fathom_config::Sources::default()
        };
        fathom_config::load(&sources).unwrap().warnings.len()
    };
    let secret = "transport: {config: {username: u, password: p}}";
    assert_eq!(warnings(secret, 0o640), 0);
    assert_eq!(warnings(secret, 0o644), 1);
    assert_eq!(warnings("log: {level: warn}", 0o644), 0);
}

#[test]
fn variables_that_look_like_ours_are_warned_about() {
    let environment = Environment::from_iter([
        ("FATHOM_SERVER_LISTNE", "127.0.0.1:1"),
        ("FATHOM_DB", "/advisories"),
        ("FATHOM_BLESS", "1"),
        ("FATHOM_SOMETHING_ELSE_ALTOGETHER", "1"),
        ("FATHOM_LOG_LEVEL", ""),
        ("PATH", "/bin"),
    ]);
    let loaded = load_bytes("", b"", &environment, &Overrides::new()).unwrap();
    let said: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["FATHOM_SERVER_LISTNE: no setting has this variable; did you mean FATHOM_SERVER_LISTEN?"]
    );
    assert_eq!(loaded.origin("scan.database").to_string(), "environment FATHOM_DB");
    assert_eq!(loaded.config.scan.database.to_str(), Some("/advisories"));
    let environment = Environment::from_iter([("FATHOM_METRICS_PORT", "x")]);
    let refused = load_bytes("", b"", &environment, &Overrides::new()).unwrap_err();
    assert_eq!(refused.to_string(), "FATHOM_METRICS_PORT: metrics.port: \"x\" is no whole number");
}

#[test]
fn what_is_typed_and_is_no_setting() {
    let refused = |path: &str, value: &str| {
        let typed = Overrides::new().set(path, value);
        load_bytes("", b"", &Environment::default(), &typed).unwrap_err().to_string()
    };
    assert_eq!(
        refused("transport.tpye", "redis"),
        "--set: transport.tpye: there is no such setting; did you mean transport.type?"
    );
    assert!(refused("transport", "redis").contains("this is a group of settings"));
    assert!(refused("webhooks[0].url", "x").contains("there is no such setting"));
    assert!(Overrides::new().assign("transport.type").is_err());
}

#[test]
fn what_rests_on_the_data_folder() {
    let loaded = load("data_folder: /srv/fathom/").unwrap();
    assert_eq!(loaded.config.store.url.expose(), "sqlite:///srv/fathom/fathom.db");
    assert_eq!(loaded.config.worker.work_dir.to_str(), Some("/srv/fathom/work"));
    assert_eq!(loaded.config.scan.database.to_str(), Some("/srv/fathom/advisories"));
    let home = Environment::from_iter([("HOME", "/home/u")]);
    let loaded = load_bytes("", b"", &home, &Overrides::new()).unwrap();
    assert_eq!(loaded.config.data_folder.to_str(), Some("/home/u/.local/share/fathom"));
    assert_eq!(load("").unwrap().config, fathom_config::Config::default());
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let text = page_example();
    let loaded =
        load_bytes("f.yaml", text.as_bytes(), &example_environment(), &Overrides::new()).unwrap();
    for origins in [false, true] {
        let shown = loaded.to_yaml(origins);
        let again = load(&shown).unwrap_or_else(|refused| panic!("{refused}\n{shown}"));
        assert_eq!(again.to_json(), loaded.to_json(), "{shown}");
    }
    let shown = loaded.to_yaml(true);
    for line in [
        "  listen: \"0.0.0.0:8443\"  # file f.yaml:5",
        "    password: \"***\"  # file f.yaml:",
        "  url: \"postgres://fathom:***@db.example.com/fathom\"  # file f.yaml:",
        "  ip_allowlist:  # file f.yaml:",
        "    issuer: https://login.example.com/realms/fathom  # file",
        "    reports: 90d  # file",
        "    audit: null  # default",
    ] {
        assert!(shown.contains(line), "{line}\nis not in\n{shown}");
    }
}
