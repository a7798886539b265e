//! Messages about what has happened: they arrive signed, once, in spite of what is killed, and lead
//! nowhere that they must not.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{Place, Process, has, until};

const SECRET: &str = "hush hush";

/// A message that came.
#[derive(Clone, Debug)]
struct Message {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Message {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who is told, and answers by how many came before.
struct Receiver {
    port: u16,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    fn new(answer: impl Fn(usize) -> Option<&'static str> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&messages);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(&stream);
                let mut headers = BTreeMap::new();
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap_or(0) > 2 {
                    if let Some((name, value)) = line.trim().split_once(": ") {
                        headers.insert(name.to_ascii_lowercase(), value.to_owned());
                    }
                    line.clear();
                }
                let length = headers.get("content-length").and_then(|text| text.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                let before = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(Message { headers, body: String::from_utf8(body).unwrap() });
                    kept.len() - 1
                };
                match answer(before) {
                    Some(answer) => {
                        let _ = write!(
                            &stream,
                            "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        );
                    }
                    // Whoever does not answer keeps the line.
                    None => std::mem::forget(stream),
                }
            }
        });
        Self { port, messages }
    }

    fn came(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    fn setting(&self, further: &str) -> String {
        format!(
            "{{name: a, url: 'http://127.0.0.1:{}/hook/very-secret?token=very-secret', \
             secret: '{SECRET}', networks: [127.0.0.0/8], timeout: 2s{further}}}",
            self.port
        )
    }
}

fn echo(site: &Process, job: &str) {
    site.send(job, "fathom.echo", json!({ "hello": "world" }));
    site.result(job);
}

fn deliveries(site: &Process) -> Vec<Value> {
    let (status, list) = site.ask("GET", "/api/v1/webhooks", None);
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["webhooks"][0]["settings"]["signed"], true, "{list}");
    assert!(
        !list.to_string().contains("very-secret") && !list.to_string().contains("hush"),
        "{list}"
    );
    list["webhooks"][0]["deliveries"].as_array().unwrap().clone()
}

/// The block of this language on the page about webhooks.
fn block(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Whether what the page shows takes a message for ours.
fn believed(folder: &Path, secret: &str, signature: &str, body: &str) -> [bool; 2] {
    let file = folder.join("body");
    fs::write(&file, body).unwrap();
    let python = block("python")
        + "\nimport sys\nsys.exit(0 if is_ours(sys.argv[1].encode(), sys.argv[2], \
           open(sys.argv[3], 'rb').read()) else 1)\n";
    let shell = block("sh") + "\nis_ours \"$@\"\n";
    let run = |command: &mut Command| {
        let output = command.args([secret, signature]).arg(&file).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        output.status.success()
    };
    [
        run(Command::new("python3").args(["-c", &python])),
        run(Command::new("sh").args(["-c", &shell, "sh"])),
    ]
}

#[test]
fn a_message_is_signed_as_the_page_says() {
    if !has(&["python3", "openssl"]) {
        return;
    }
    let receiver = Receiver::new(|_| Some("204 No Content"));
    let place = Place::new().set(format!("webhooks=[{}]", receiver.setting("")));
    let site = place.serve(&[]);
    echo(&site, "job-told-1");
    until(|| receiver.came().len() == 1, || format!("{:?}", deliveries(&site)));
    let message = receiver.came().remove(0);
    let told = message.json();
    assert_eq!(told["event"], "job.finished");
    assert_eq!(
        (&told["data"]["job_id"], &told["data"]["status"]),
        (&json!("job-told-1"), &json!("completed"))
    );
    assert_eq!(message.headers["x-fathom-event"], "job.finished");
    assert_eq!(json!(message.headers["x-fathom-delivery"]), told["id"]);
    assert_eq!(message.headers["content-type"], "application/json");
    let signature = &message.headers["x-fathom-signature"];
    let believed =
        |secret: &str, signature: &str, body: &str| believed(place.path(), secret, signature, body);
    assert_eq!(believed(SECRET, signature, &message.body), [true, true]);
    for (secret, signature, body) in [
        ("other", signature.clone(), message.body.clone()),
        (SECRET, signature.clone(), message.body.replace("completed", "failed")),
        (SECRET, signature.replace("v1=", "v1=0"), message.body.clone()),
        (SECRET, signature.replace("t=1", "t=2"), message.body.clone()),
        (SECRET, format!("t=1{}", &signature[12..]), message.body.clone()),
    ] {
        assert_eq!(believed(secret, &signature, &body), [false, false], "{signature}");
    }
    until(|| deliveries(&site)[0]["state"] == "delivered", || format!("{:?}", deliveries(&site)));
    let shown = &deliveries(&site)[0];
    assert_eq!((&shown["attempts"], &shown["status"]), (&json!(1), &json!(204)), "{shown}");
    let said = site.said.lock().unwrap().join("\n");
    assert!(!said.contains("very-secret") && !said.contains("hush"), "{said}");
}

#[test]
fn what_is_not_taken_is_tried_again_until_it_is_given_up() {
    let answers = |before| match before {
        0 => Some("503 Service Unavailable"),
        1 => Some("302 Found\r\nLocation: http://127.0.0.1:1/"),
        _ => Some("200 OK"),
    };
    let receiver = Receiver::new(answers);
    let place = Place::new().set(format!("webhooks=[{}]", receiver.setting("")));
    let site = place.serve(&[]);
    echo(&site, "job-told-2");
    until(|| receiver.came().len() == 3, || format!("{:?}", deliveries(&site)));
    let came = receiver.came();
    assert!(came.iter().all(|it| it.body == came[0].body), "{came:?}");
    until(|| deliveries(&site)[0]["state"] == "delivered", || format!("{:?}", deliveries(&site)));
    assert_eq!(deliveries(&site)[0]["attempts"], 3);
    drop(site);

    let receiver = Receiver::new(|_| Some("500 Internal Server Error"));
    let place = Place::new().set(format!("webhooks=[{}]", receiver.setting(", give_up: 3s")));
    let site = place.serve(&[]);
    echo(&site, "job-told-3");
    until(|| deliveries(&site)[0]["state"] == "dead", || format!("{:?}", deliveries(&site)));
    let shown = &deliveries(&site)[0];
    assert!(shown["error"].as_str().unwrap().contains("it answers 500; given up"), "{shown}");
    assert_eq!(shown["status"], 500);
    drop(site);

    let receiver = Receiver::new(|_| Some("410 Gone"));
    let place = Place::new().set(format!("webhooks=[{}]", receiver.setting("")));
    let site = place.serve(&[]);
    echo(&site, "job-told-4");
    until(|| deliveries(&site)[0]["state"] == "dead", || format!("{:?}", deliveries(&site)));
    assert_eq!(receiver.came().len(), 1);
}

/// Two services over one store, one of which is killed: everything is told, and normally once.
#[test]
fn of_several_services_one_tells() {
    let receiver = Receiver::new(|_| Some("200 OK"));
    let place = Place::new().set(format!("webhooks=[{}]", receiver.setting("")));
    let site = place.serve(&[]);
    let mut other = place.serve(&["--no-worker"]);
    for number in 0..40 {
        site.send(&format!("job-told-{number:02}"), "fathom.echo", json!({ "number": number }));
    }
    until(|| receiver.came().len() >= 40, || format!("{}", receiver.came().len()));
    std::thread::sleep(Duration::from_secs(2));
    let ids = |came: &[Message]| {
        let ids: std::collections::BTreeSet<_> =
            came.iter().map(|it| it.headers["x-fathom-delivery"].clone()).collect();
        ids.len()
    };
    let came = receiver.came();
    assert_eq!((came.len(), ids(&came)), (40, 40));
    other.kill();
    echo(&site, "job-told-last");
    until(|| receiver.came().len() == 41, || format!("{}", receiver.came().len()));
}

/// Killed between sending and noting it, the message comes again, and can be known by its id.
#[test]
fn killed_while_it_is_told_it_is_told_again() {
    let receiver = Receiver::new(|before| (before > 0).then_some("200 OK"));
    let place = Place::new().set(format!(
        "webhooks=[{}]",
        receiver.setting(", timeout: 1s").replace("timeout: 2s, ", "")
    ));
    let mut site = place.serve(&[]);
    echo(&site, "job-told-5");
    until(|| receiver.came().len() == 1, || format!("{:?}", receiver.came()));
    site.kill();
    let site = place.serve(&[]);
    until(|| deliveries(&site)[0]["state"] == "delivered", || format!("{:?}", deliveries(&site)));
    let came = receiver.came();
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].headers["x-fathom-delivery"], came[1].headers["x-fathom-delivery"]);
    assert_eq!(came[0].body, came[1].body);
}

#[test]
fn names_lead_nowhere_inside() {
    let receiver = Receiver::new(|_| Some("200 OK"));
    let port = receiver.port;
    let hooks = [
        format!("{{name: number, secret: s, url: 'http://127.0.0.1:{port}/'}}"),
        format!("{{name: localhost, secret: s, url: 'http://localhost:{port}/'}}"),
        format!("{{name: odd, secret: s, url: 'http://2130706433:{port}/'}}"),
        format!(
            "{{name: other, secret: s, url: 'http://127.0.0.1:{port}/', networks: [10.0.0.0/8]}}"
        ),
        "{name: metadata, secret: s, url: 'http://169.254.169.254/latest/meta-data/'}".to_owned(),
    ];
    let place = Place::new().set(format!("webhooks=[{}]", hooks.join(", ")));
    let site = place.serve(&[]);
    echo(&site, "job-told-6");
    let tried = || {
        let (_, list) = site.ask("GET", "/api/v1/webhooks", None);
        let hooks = list["webhooks"].as_array().unwrap().clone();
        assert_eq!(hooks.len(), 5);
        hooks.into_iter().map(|hook| hook["deliveries"][0].clone()).collect::<Vec<_>>()
    };
    until(|| tried().iter().all(|it| it["error"].is_string()), || format!("{:?}", tried()));
    for delivery in tried() {
        let error = delivery["error"].as_str().unwrap();
        assert!(error.contains("nothing may be fetched from"), "{delivery}");
        assert_eq!(delivery["state"], "waiting", "{delivery}");
    }
    assert_eq!(receiver.came().len(), 0);
}
