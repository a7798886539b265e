//! A browser without a window, told what to do by its protocol for developers: documents of JSON
//! through two pipes, each with a nought at its end.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::site::PATIENCE;

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    number: u64,
    session: String,
    /// What the page has complained about.
    complaints: VecDeque<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    /// Opens a page, or says that there is no browser.
    pub(crate) fn open(folder: &Path, url: &str) -> Option<Self> {
        let found = std::env::var_os("PATH").is_some_and(|all| {
            std::env::split_paths(&all).any(|folder| folder.join("chromium").is_file())
        });
        if !found {
            let required = std::env::var_os("FATHOM_TEST_REQUIRED").is_some();
            assert!(!required, "there is no chromium; cargo xtask setup installs it");
            println!("skipped: there is no chromium; cargo xtask setup installs it");
            return None;
        }
        // It reads from descriptor 3 and writes to 4.
        let child = Command::new("bash")
            .arg("-c")
            .arg(
                "mkfifo to from && exec chromium --headless --no-sandbox --disable-gpu \
                 --disable-dev-shm-usage --no-first-run --user-data-dir=profile \
                 --remote-debugging-pipe about:blank 3<to 4>from",
            )
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("browser.log")).unwrap())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while !folder.join("from").exists() {
            assert!(began.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(20));
        }
        let to = OpenOptions::new().write(true).open(folder.join("to")).unwrap();
        let answers = BufReader::new(File::open(folder.join("from")).unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let _ = sender.send(serde_json::from_slice(&message).unwrap());
            }
        });
        let session = String::new();
        let complaints = VecDeque::new();
        let mut browser = Self { child, to, from, number: 0, session, complaints };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", &attach);
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.call(domain, &json!({}));
        }
        browser.call("Page.navigate", &json!({ "url": url }));
        Some(browser)
    }

    /// Calls a method, and says what it answers.
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.from.recv_timeout(PATIENCE).unwrap();
            if answer["id"] == self.number {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            let entry = &answer["params"]["entry"];
            // That an answer was 404 is for the page to say.
            if answer["method"] == "Runtime.exceptionThrown"
                || (entry["level"] == "error" && entry["source"] != "network")
            {
                self.complaints.push_back(answer["params"].to_string());
            }
        }
    }

    /// What an expression comes to on the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let evaluate =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &evaluate);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&mut self, expression: &str) {
        let began = Instant::now();
        while self.value(expression) != true {
            assert!(began.elapsed() < PATIENCE, "{expression}; {:?}", self.complaints());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "code": key,
                "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code });
            if key == "Enter" && kind == "keyDown" {
                event["text"] = json!("\r");
            }
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// What the page has complained about.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.complaints.drain(..).collect()
    }
}
