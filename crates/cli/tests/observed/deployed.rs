//! The dashboard and the alerts: they ask for figures that are told, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::figures::{Busy, Family, families, promtool};
use crate::query::Query;
use crate::site::{Process, free_port, root, until};

/// Labels that Prometheus gives to whatever it scrapes.
const SCRAPED: [&str; 2] = ["instance", "job"];

/// The expressions of the dashboard, each with where it stands and what is put for its variables.
fn shown() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("deploy/grafana/fathom.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let expression =
                expression.replace("$instance", ".*").replace("$__rate_interval", "1m");
            assert!(!expression.contains('$'), "{expression}");
            found.push((format!("panel {}", panel["title"]), expression));
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The expressions of the alerts, each with its name; and the labels that its texts name.
fn alerts() -> Vec<(String, String, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("deploy/prometheus/alerts.yml")).unwrap();
    let mut found = Vec::new();
    for rule in text.split("- alert: ").skip(1) {
        let mut lines = rule.lines();
        let name = lines.next().unwrap();
        let mut lines = lines.skip_while(|line| !line.trim().starts_with("expr:"));
        let first = lines.next().unwrap().trim().trim_start_matches("expr:").trim();
        let expression = match first {
            ">-" => lines.take_while(|line| line.starts_with("          ")).collect::<String>(),
            first => first.to_owned(),
        };
        let named = rule.split("$labels.").skip(1);
        let word = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned)
        };
        found.push((format!("alert {name}"), expression, named.filter_map(word).collect()));
    }
    assert!(found.len() >= 10, "{found:?}");
    found
}

fn check(place: &str, expression: &str, families: &BTreeMap<String, Family>) -> BTreeSet<String> {
    let query = Query::read(expression);
    assert!(!query.metrics.is_empty(), "{place}: {expression} asks for nothing");
    let mut known: BTreeSet<String> = SCRAPED.map(str::to_owned).into();
    for (metric, matched) in &query.metrics {
        let mut labels: BTreeSet<String> = SCRAPED.map(str::to_owned).into();
        if metric != "up" {
            let (name, family) = families
                .iter()
                .find(|(name, family)| {
                    let rest = metric.strip_prefix(name.as_str());
                    let parts = ["_bucket", "_count", "_sum"];
                    rest.is_some_and(|rest| match family.kind.as_str() {
                        "histogram" => parts.contains(&rest),
                        _ => rest.is_empty(),
                    })
                })
                .unwrap_or_else(|| panic!("{place}: nobody tells {metric}"));
            labels.extend(family.labels.iter().cloned());
            if *metric == format!("{name}_bucket") {
                labels.insert("le".to_owned());
            }
        }
        for label in matched {
            assert!(labels.contains(label), "{place}: {metric} has no label {label}");
        }
        known.extend(labels);
    }
    for label in &query.grouped {
        assert!(known.contains(label), "{place}: nothing in it has the label {label}");
    }
    known
}

#[test]
fn what_is_asked_for_is_told() {
    let busy = Busy::new();
    let families = families(&busy.told);
    for (place, expression) in shown() {
        check(&place, &expression, &families);
    }
    for (place, expression, named) in alerts() {
        let known = check(&place, &expression, &families);
        for label in named {
            assert!(known.contains(&label), "{place}: its text names the label {label}");
        }
    }
    // Not only by name: Prometheus itself gets it, and every panel shows something.
    asked_for_by_prometheus(&busy);
}

fn asked_for_by_prometheus(busy: &Busy) {
    if promtool().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("prometheus.yml");
    let text = format!(
        "rule_files: [{}]\nscrape_configs: [{{job_name: fathom, scrape_interval: 1s, \
         static_configs: [{{targets: ['127.0.0.1:{}']}}]}}]\n",
        root().join("deploy/prometheus/alerts.yml").display(),
        busy.port
    );
    fs::write(&settings, text).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .stdout(Stdio::null());
    let process = Process::start(&mut command);
    let agent = ureq::Agent::new_with_defaults();
    let ask = |expression: &str| -> Option<Vec<Value>> {
        let answer = agent
            .post(format!("http://{address}/api/v1/query"))
            .send_form([("query", expression)])
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        Some(answer["data"]["result"].as_array().unwrap().clone())
    };
    // A rate needs two.
    until(&format!("Prometheus gets nothing: {:?}", process.said()), || {
        ask("count_over_time(fathom_store_up[1m]) >= 3").filter(|result| !result.is_empty())
    });
    for (place, expression) in shown() {
        let result = until(&expression, || ask(&expression));
        assert!(!result.is_empty(), "{place} shows nothing: {expression}");
    }
    for (place, expression, _) in alerts() {
        let result = until(&expression, || ask(&expression));
        // A job waits for which there is no worker.
        let fires = place == "alert FathomNothingIsDone";
        assert_eq!(!result.is_empty(), fires, "{place}: {expression} gives {result:?}");
    }
}

#[test]
fn alerts_do_what_they_should() {
    let Some(mut command) = promtool() else { return };
    let folder = root().join("deploy/prometheus");
    let output = command.args(["test", "rules", "alerts.test.yml"]).current_dir(&folder).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{said}", String::from_utf8_lossy(&output.stdout));
    for arguments in [["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"]] {
        let output =
            Command::new("promtool").args(arguments).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}{said}", String::from_utf8_lossy(&output.stdout));
    }
}
