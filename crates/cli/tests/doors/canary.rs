//! Secrets turn up nowhere: each has a text of its own, the program is used with them well and badly,
//! and whatever it has said, kept and answered is searched for them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::site::{PATIENCE, fathom, trusting};
use crate::tls::Files;

/// The secrets, and everything that must not hold one.
#[derive(Default)]
struct Search {
    secrets: Vec<String>,
    seen: Vec<(String, Vec<u8>)>,
}

impl Search {
    /// A new secret, that nothing else looks like.
    fn secret(&mut self, of: &str) -> String {
        let secret = format!("Canary-{of}-{:x}/+", 0x9d41_c700_u64 + self.secrets.len() as u64);
        self.secrets.push(secret.clone());
        secret
    }

    fn see(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.seen.push((place.into(), bytes.into()));
    }

    /// Sees the output of a command, which may take so long.
    fn run(&mut self, name: &str, command: &mut Command, folder: &Path, limit: Duration) {
        let path = folder.join("output");
        let mut child = start(command, &path);
        let began = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if began.elapsed() > limit {
                child.kill().unwrap();
                child.wait().unwrap();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.see(name, fs::read(&path).unwrap());
    }

    fn see_folder(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.see_folder(&path);
            } else if let Ok(bytes) = fs::read(&path) {
                self.see(path.display().to_string(), bytes);
            }
        }
    }

    /// Where one of them is, as it is, encoded, or the part of it that no encoding changes.
    fn hits(&self) -> Vec<String> {
        let mut hits = Vec::new();
        for secret in &self.secrets {
            // Of a token of ours what stands before its last part is no secret.
            let plain = secret.strip_suffix("/+").unwrap_or(secret);
            let plain = plain.rsplit('_').next().unwrap_or(plain).to_owned();
            let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&plain);
            // How a text ends in base64 depends on what follows.
            let encoded = encoded[..encoded.len() - 4].to_owned();
            let hex: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
            for form in [plain, encoded, hex] {
                for (place, bytes) in &self.seen {
                    if bytes.windows(form.len()).any(|window| window == form.as_bytes()) {
                        hits.push(format!("{form} in {place}: {}", String::from_utf8_lossy(bytes)));
                    }
                }
            }
        }
        hits
    }
}

/// Starts a command whose outputs go to a file.
fn start(command: &mut Command, output: &Path) -> Child {
    let file = File::create(output).unwrap();
    command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap()
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A text within an address.
fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

struct Place {
    folder: PathBuf,
    files: Files,
    hook: String,
}

impl Place {
    /// Settings in which every secret is set, with these in their place or besides.
    fn settings(&self, search: &mut Search, further: &[(&str, Value)]) -> PathBuf {
        let data = self.folder.join("data");
        let mut settings = json!({
            "data_folder": data,
            "server": {
                "listen": "127.0.0.1:0",
                "tls": { "certificate": self.files.certificate, "key": self.files.key },
            },
            "store": {},
            "buckets": [{
                "name": "bucket", "endpoint": "https://127.0.0.1:1", "access_key": "name",
                "secret_key": { "file": self.folder.join("secret") },
            }],
            "tracing": {
                "otlp_endpoint": "http://127.0.0.1:1",
                "otlp_headers": [format!("Authorization: Bearer {}", search.secret("collector"))],
            },
            "transport": { "type": "folder", "config": {
                "folder": self.folder.join("queue"), "username": "name",
                "password": search.secret("broker-password"),
            } },
            "auth": { "tokens": { "bootstrap": search.secret("bootstrap") } },
            "metrics": { "enabled": false },
            "scan": { "matcher_url": format!("https://name:{}@127.0.0.1:1/", percent(&search.secret("matcher"))) },
            "webhooks": [{
                "name": "hook", "secret": { "env": "HOOK_SECRET" }, "networks": ["127.0.0.0/8"],
                "url": format!("https://127.0.0.1:1/hook?token={}", percent(&search.secret("hook-url"))),
            }],
        });
        for (pointer, value) in further {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            settings.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        let path = self.folder.join(format!("settings-{}.yaml", search.secrets.len()));
        // JSON is YAML.
        private(&path, &settings.to_string());
        path
    }

    fn command(&self, settings: &Path, arguments: &[&str]) -> Command {
        let mut command = fathom();
        command.args(arguments).arg("--config").arg(settings).env("HOOK_SECRET", &self.hook);
        command
    }
}

#[test]
fn secrets_turn_up_nowhere() {
    let temporary = tempfile::tempdir().unwrap();
    let mut search = Search::default();
    let folder = temporary.path().to_owned();
    private(&folder.join("secret"), &search.secret("s3"));
    let files = Files::new(&folder);
    files.make();
    let key = fs::read_to_string(&files.key).unwrap();
    search.secrets.push(key.lines().nth(2).unwrap().to_owned());
    let hook = search.secret("hook");
    let place = Place { folder: folder.clone(), files, hook };
    let password = search.secret("user-password");

    // Well.
    let settings = place.settings(&mut search, &[]);
    let bootstrap = search.secrets.iter().find(|it| it.contains("bootstrap")).unwrap().clone();
    let mut made = place.command(&settings, &["token", "create", "ci", "--role", "admin"]);
    let made = made.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    search.see("token create", made.stderr);
    search.secrets.push(token.clone());
    let mut made = place.command(&settings, &["user", "create", "ann", "--role", "admin"]);
    let mut child =
        made.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), password.as_bytes()).unwrap();
    let made = child.wait_with_output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    search.see("user create", [made.stdout, made.stderr].concat());
    let output = folder.join("served");
    let mut served = start(&mut place.command(&settings, &["serve"]), &output);
    let address = address(&output, &mut served);
    search.see("cmdline", fs::read(format!("/proc/{}/cmdline", served.id())).unwrap());
    let agent = trusting(&place.files.certificate);
    let ask =
        |search: &mut Search, method: &str, path: &str, bearer: &str, body: Option<&Value>| {
            let request = ureq::http::Request::builder()
                .method(method)
                .uri(format!("{address}{path}"))
                .header("content-type", "application/json")
                .header("authorization", format!("Bearer {bearer}"));
            let body = body.map_or(String::new(), Value::to_string);
            let mut answer = agent.run(request.body(body).unwrap()).unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            let headers = format!("{:?}", answer.headers());
            search.see(format!("{method} {path}"), headers);
            (answer.status().as_u16(), text)
        };
    let login = json!({ "name": "ann", "password": password });
    let (status, session) = ask(&mut search, "POST", "/api/v1/login", "", Some(&login));
    assert_eq!(status, 200, "{session}");
    let session: Value = serde_json::from_str(&session).unwrap();
    let session = session["token"].as_str().unwrap().to_owned();
    search.secrets.push(session.clone());
    let job = json!({ "operation": "fathom.echo" });
    let guess = json!({ "name": password, "password": bootstrap });
    for bearer in [&token, &session, &bootstrap, "wrong", ""] {
        for (method, path, body) in [
            ("GET", "/api/v1/jobs", None),
            ("POST", "/api/v1/jobs", Some(&job)),
            ("POST", "/api/v1/jobs", Some(&json!({ "operation": 7 }))),
            ("GET", "/api/v1/tokens", None),
            ("GET", "/api/v1/audit?limit=100", None),
            ("GET", "/api/v1/workers", None),
            ("GET", "/metrics", None),
            ("GET", "/health", None),
            ("GET", "/nothing", None),
            ("DELETE", "/api/v1/tokens/none", None),
            ("POST", "/api/v1/login", Some(&guess)),
        ] {
            let (status, text) = ask(&mut search, method, path, bearer, body);
            assert!(status < 500, "{method} {path}: {text}");
            search.see(format!("{method} {path} of {bearer}"), text);
        }
    }
    served.kill().unwrap();
    served.wait().unwrap();
    search.see("serve", fs::read(&output).unwrap());

    // Badly: what cannot be reached, is none, or stands in the wrong place.
    let unreachable = |search: &mut Search, scheme: &str, of: &str| {
        json!(format!("{scheme}://name:{}@127.0.0.1:1/x", percent(&search.secret(of))))
    };
    let postgres = unreachable(&mut search, "postgres", "postgres");
    let redis = unreachable(&mut search, "redis", "redis");
    let amqp = unreachable(&mut search, "amqp", "amqp");
    let mysql = unreachable(&mut search, "mysql", "mysql");
    let list = json!([search.secret("list")]);
    let map = json!({ search.secret("key"): search.secret("value") });
    let key = json!(folder.join("secret"));
    let variants: Vec<Vec<(&str, Value)>> = vec![
        vec![("/store/url", postgres)],
        vec![("/store/url", mysql)],
        vec![("/transport/type", json!("redis")), ("/transport/config/url", redis)],
        vec![("/transport/type", json!("amqp")), ("/transport/config/url", amqp)],
        vec![("/auth/tokens/bootstrap", list)],
        vec![("/transport/config/password", map)],
        vec![("/server/tls/key", key)],
    ];
    let soon = Duration::from_secs(8);
    for variant in &variants {
        let settings = place.settings(&mut search, variant);
        for arguments in [
            &["serve"][..],
            &["worker"],
            &["config", "check"],
            &["config", "show", "--origins"],
            &["doctor"],
            &["token", "list"],
            &["user", "list"],
        ] {
            let name = format!("{} with {:?}", arguments.join(" "), variant[0].0);
            search.run(&name, &mut place.command(&settings, arguments), &folder, soon);
        }
    }
    search.see_folder(&folder.join("data"));
    let said = search.seen.iter().filter(|(_, bytes)| !bytes.is_empty()).count();
    assert!(said > 100, "{said}");
    let hits = search.hits();
    assert!(hits.is_empty(), "{}", hits.join("\n"));
    // The search finds what is there.
    search.see("nowhere", format!("…{token}…"));
    search.see("encoded", base64::engine::general_purpose::STANDARD.encode(&password));
    assert_eq!(search.hits().len(), 2);
}

/// Where a service listens, once it says so.
fn address(output: &Path, served: &mut Child) -> String {
    let began = Instant::now();
    loop {
        let said = fs::read_to_string(output).unwrap();
        if let Some(line) = said.lines().find_map(|line| line.split_once("serving ")) {
            return line.1.replace("127.0.0.1", "localhost");
        }
        assert!(began.elapsed() < PATIENCE && served.try_wait().unwrap().is_none(), "{said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
