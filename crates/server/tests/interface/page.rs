//! The page about the interface: our files alone, and nothing that leads elsewhere.

use fathom_server::{Rules, document};

use crate::site::Site;

const FILES: &[(&str, &str)] = &[
    ("/docs", "text/html; charset=utf-8"),
    ("/docs/page.css", "text/css; charset=utf-8"),
    ("/docs/page.js", "text/javascript; charset=utf-8"),
    ("/docs/schema.js", "text/javascript; charset=utf-8"),
];

#[test]
fn its_files_are_served_and_held_to_themselves() {
    let site = Site::new(Rules::default());
    for (path, kind) in FILES {
        let answer = site.get(path, None);
        assert_eq!(
            (answer.status, answer.headers["content-type"].as_str()),
            (200, *kind),
            "{path}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers[name], value, "{path}");
        }
        // Nothing comes from elsewhere, and nothing is made of texts that could be markup.
        for wrong in [
            "http://",
            "https://",
            "//cdn",
            "@import",
            "url(",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "localStorage",
            "sessionStorage",
            "document.cookie",
            " style=",
            " onclick=",
            "javascript:",
        ] {
            assert!(!answer.body.contains(wrong), "{path} has {wrong}");
        }
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        for wrong in ["unsafe", "*", "data:", "http"] {
            assert!(!policy.contains(wrong), "{policy}");
        }
    }
    let policy = site.get("/docs", None).headers["content-security-policy"].clone();
    for part in
        ["script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
    {
        assert!(policy.split("; ").any(|it| it == part), "{policy}");
    }
}

#[test]
fn whatever_it_refers_to_is_there() {
    let site = Site::new(Rules::default());
    let page = site.get("/docs", None).body;
    let mut found = 0;
    for quoted in
        page.split(['"']).filter(|text| text.starts_with("docs/") || text.starts_with("api/"))
    {
        assert_eq!(site.get(&format!("/{quoted}"), None).status, 200, "{quoted}");
        found += 1;
    }
    assert_eq!(found, 3, "its style, its script, the document");
    let script = site.get("/docs/page.js", None).body;
    for name in script.split('\'').filter_map(|text| text.strip_prefix("./")) {
        assert!(FILES.iter().any(|(path, _)| *path == format!("/docs/{name}")), "{name}");
    }
    // A label for each field, and an id once.
    let ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for field in page.split("<input id=\"").skip(1).filter_map(|it| it.split('"').next()) {
        assert!(page.contains(&format!("<label for=\"{field}\"")), "{field} has no label");
    }
}

/// The page makes everything of the document: what it counts on is there for every operation.
#[test]
fn every_operation_has_what_the_page_tells() {
    let document = document();
    let groups: Vec<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                ["get", "post", "put", "patch", "delete"].contains(&method.as_str()),
                "{method}"
            );
            let group = operation["tags"][0].as_str().unwrap();
            assert!(groups.contains(&group), "{path}: {group}");
            seen.insert(group);
            for part in path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}')) {
                let named = operation["parameters"].as_array().unwrap();
                assert!(named.iter().any(|it| it["name"] == part && it["in"] == "path"), "{path}");
            }
            if let Some(body) = operation.get("requestBody") {
                let media = &body["content"]["application/json"];
                assert!(media["example"].is_object(), "{path} has no example");
            }
        }
    }
    assert_eq!(seen.len(), groups.len(), "a group is empty");
}
