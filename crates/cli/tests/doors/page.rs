//! The page of the interface, in a browser.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::site::{Site, beside, token};

/// Puts a text into a field, as if it was typed.
fn fill(browser: &mut Browser, selector: &str, text: &str) {
    let (selector, text) = (json!(selector), json!(text));
    browser.value(&format!(
        "{{ const field = document.querySelector({selector}); field.value = {text}; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }})); true }}"
    ));
}

/// Sends the request of an operation, and waits for what it says came of it.
fn send(browser: &mut Browser, operation: &str, status: u16) -> String {
    let within = format!("document.getElementById('{operation}')");
    browser.value(&format!("{within}.open = true"));
    browser.until(&format!("{within}.querySelector('form') !== null"));
    browser.value(&format!("{within}.querySelector('button[type=submit]').click()"));
    let ended = format!("!{within}.querySelector('button[type=submit]').disabled");
    browser.until(&format!(
        "{ended} && {within}.querySelector('output').textContent.includes(' {status} ')"
    ));
    browser
        .value(&format!("{within}.querySelector('pre').textContent"))
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_page_tells_every_operation_and_sends_requests() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let made =
        beside(folder, &["user", "create", "ann", "--role", "operator"], "correct horse battery");
    assert!(made.status.success());
    let admin = token(folder, "admin");
    let site = Site::new(folder, &[]);
    let Some(mut browser) = Browser::open(folder, &format!("{}/docs", site.address)) else {
        return;
    };
    browser
        .until("document.readyState === 'complete' && document.getElementById('state') === null");

    // Every operation of the document, once, in the list too; each opens and has its form and answers.
    let (_, document) = site.ask("GET", "/api/v1/openapi.json", None, None);
    let mut wanted: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    wanted.sort_unstable();
    let told = browser.value(
        "[...document.querySelectorAll('main > section > details')].map((it) => it.id).sort()",
    );
    assert_eq!(told, json!(wanted));
    let listed = browser
        .value("[...document.querySelectorAll('#index a')].map((it) => it.hash.slice(1)).sort()");
    assert_eq!(listed, json!(wanted));
    browser.value("document.querySelectorAll('main > section > details').forEach((it) => { it.open = true; })");
    let parts = "[...document.querySelectorAll('main > section > details')]\
         .every((it) => it.querySelector('form') && it.textContent.includes('Answers'))";
    browser.until(parts);
    // Schemas open step by step, to their end.
    browser.value(
        "(async () => { for (let round = 0; round < 12; round += 1) { \
         document.querySelectorAll('main details').forEach((it) => { it.open = true; }); \
         await new Promise((done) => setTimeout(done, 100)); } return true; })()",
    );
    let text = browser.value("document.querySelector('main').textContent");
    for word in ["writeOnly", "undefined", "[object"] {
        assert!(!text.as_str().unwrap().contains(word), "{word}");
    }
    assert!(text.as_str().unwrap().contains("idempotency_key"));
    let labelled =
        "[...document.querySelectorAll('input, textarea')].every((it) => it.labels.length > 0)";
    assert_eq!(browser.value(labelled), true);

    // A request without a token, with one, and one that changes something.
    assert!(send(&mut browser, "listJobs", 401).contains("UNAUTHENTICATED"));
    fill(&mut browser, "#token", &admin);
    assert!(send(&mut browser, "listJobs", 200).contains("\"jobs\": []"));
    let sent: Value = serde_json::from_str(&send(&mut browser, "submitJob", 202)).unwrap();
    fill(&mut browser, "#getJob-id", sent["job_id"].as_str().unwrap());
    assert!(send(&mut browser, "getJob", 200).contains("\"operation\": \"echo\""));
    fill(&mut browser, "#getJob-id", "../../x?y#z");
    assert!(send(&mut browser, "getJob", 404).contains("NOT_FOUND"));
    fill(&mut browser, "#listJobs-limit", "0");
    assert!(send(&mut browser, "listJobs", 400).contains("VALIDATION_ERROR"));

    // Logging in gives another token.
    fill(&mut browser, "#name", "ann");
    fill(&mut browser, "#password", "correct horse battery");
    browser.value("document.querySelector('#access button').click()");
    browser.until("document.getElementById('access-outcome').textContent === 'role operator'");
    assert_eq!(browser.value("document.getElementById('password').value"), "");
    assert!(send(&mut browser, "listAudit", 403).contains("FORBIDDEN"));

    // By keys alone: the way past the list, and an operation that opens and closes.
    browser.value("document.activeElement.blur(); scrollTo(0, 0)");
    browser.value("document.querySelector('.skip').focus()");
    browser.press("Enter", 13);
    browser.until("document.activeElement.id === 'operations'");
    browser.value("document.querySelectorAll('main > section > details').forEach((it) => { it.open = false; })");
    browser.press("Tab", 9);
    browser.until("document.activeElement.tagName === 'SUMMARY'");
    browser.press("Enter", 13);
    browser.until("document.activeElement.parentElement.open");

    // What is looked for is all that is shown.
    fill(&mut browser, "#filter", "token");
    let shown = "[...document.querySelectorAll('main > section > details')].filter((it) => !it.hidden).length";
    let shown = browser.value(shown).as_u64().unwrap();
    assert!((3..10).contains(&shown), "{shown}");

    // Dark where the system is, and light where it is.
    let mut grounds = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.call("Emulation.setEmulatedMedia", &features);
        grounds.push(browser.value("getComputedStyle(document.body).backgroundColor"));
    }
    assert_eq!(grounds, [json!("rgb(255, 255, 255)"), json!("rgb(20, 23, 26)")]);
    assert_eq!(browser.complaints(), [""; 0]);
    // No text becomes markup, whoever tries.
    browser.value("try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; } catch { window.held = true; } true");
    assert_eq!(browser.value("window.held"), true);
}
