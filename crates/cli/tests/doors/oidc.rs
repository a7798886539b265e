//! Tokens of a real provider of identities, which signs in every way that is taken, changes its keys,
//! and goes away.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::site::{PATIENCE, Site, fathom, token, trusting};

/// The provider that was started for the tests.
struct Realm {
    issuer: String,
    secret: String,
    authority: PathBuf,
    agent: ureq::Agent,
}

impl Realm {
    /// It, or nothing where the test is to be passed over.
    fn find() -> Option<Self> {
        let Ok(issuer) = std::env::var("FATHOM_TEST_OIDC") else {
            let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
            let excused = without.split(',').any(|name| name == "oidc");
            let required = std::env::var_os("FATHOM_TEST_REQUIRED").is_some();
            assert!(!required || excused, "FATHOM_TEST_OIDC is not set");
            println!("skipped: FATHOM_TEST_OIDC is not set; cargo xtask test sets it");
            return None;
        };
        let authority = PathBuf::from(std::env::var_os("FATHOM_TEST_AUTHORITY").unwrap());
        let agent = trusting(&authority);
        let secret = std::env::var("FATHOM_TEST_OIDC_SECRET").unwrap();
        Some(Self { issuer, secret, authority, agent })
    }

    /// A token of this client for this audience, signed in this way.
    fn token(&self, client: &str, audience: &str, algorithm: &str) -> String {
        let resource = format!("https://{audience}.test/{algorithm}");
        let form = [
            ("grant_type", "client_credentials"),
            ("resource", &resource),
            ("client_id", client),
            ("client_secret", &self.secret),
        ];
        let mut answer = self.agent.post(format!("{}/token", self.issuer)).send_form(form).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Lets it go on with new keys.
    fn change_keys(&self) {
        self.agent.post(format!("{}/-/keys", self.issuer)).send_empty().unwrap();
    }

    /// Settings by which its tokens count.
    fn settings(&self) -> Vec<String> {
        [
            ("auth.oidc.issuer", self.issuer.as_str()),
            ("auth.oidc.audience", "fathom"),
            ("auth.oidc.ca_file", self.authority.to_str().unwrap()),
            ("auth.oidc.roles_claim", "realm.roles"),
            ("auth.oidc.roles.admin", "chief"),
            ("auth.oidc.roles.operator", "staff"),
            ("auth.oidc.roles.viewer", "guest"),
        ]
        .map(|(path, value)| format!("{path}={value}"))
        .to_vec()
    }
}

/// Asks whoever started the provider to do this to it.
fn control(verb: &str) {
    let mut stream = UnixStream::connect(std::env::var_os("FATHOM_TEST_CONTROL").unwrap()).unwrap();
    writeln!(stream, "{verb} oidc").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert_eq!(answer.trim(), "ok");
}

fn serve(realm: &Realm, folder: &Path, further: &[&str]) -> Site {
    let mut settings = realm.settings();
    settings.extend(further.iter().map(|setting| (*setting).to_owned()));
    Site::new(folder, &settings)
}

fn until(site: &Site, token: &str, status: u16) {
    let began = Instant::now();
    loop {
        let answer = site.get("/api/v1/jobs", token);
        if answer.0 == status {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// One test, since all of it is done to the one provider.
#[test]
fn a_real_provider_says_who_somebody_is() {
    let Some(realm) = Realm::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let site = serve(&realm, folder.path(), &[]);
    assert!(!site.said().contains("no token is asked for"), "{}", site.said());
    assert_eq!(site.ask("GET", "/api/v1/jobs", None, None).0, 401);
    let job = json!({ "operation": "fathom.echo" });
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        for (client, look, act, decide) in [
            ("viewer", 200, 403, 403),
            ("operator", 200, 202, 403),
            ("admin", 200, 202, 200),
            ("nobody", 403, 403, 403),
            ("roleless", 403, 403, 403),
        ] {
            let token = realm.token(client, "fathom", algorithm);
            let did = (
                site.get("/api/v1/jobs", &token).0,
                site.ask("POST", "/api/v1/jobs", Some(&token), Some(&job)).0,
                site.get("/api/v1/audit", &token).0,
            );
            assert_eq!(did, (look, act, decide), "{client} {algorithm}");
        }
        let others = realm.token("admin", "others", algorithm);
        assert_eq!(site.get("/api/v1/jobs", &others).0, 401, "{algorithm}");
    }

    // Namespaces by a claim: whoever has none sees nothing.
    let elsewhere = tempfile::tempdir().unwrap();
    let parted = serve(&realm, elsewhere.path(), &["auth.oidc.namespaces_claim=places"]);
    let in_namespace = |client: &str, namespace: &str| {
        let job = json!({ "operation": "fathom.echo", "metadata": { "namespace": namespace } });
        let token = realm.token(client, "fathom", "ES256");
        parted.ask("POST", "/api/v1/jobs", Some(&token), Some(&job)).0
    };
    assert_eq!(in_namespace("operator", "north"), 202);
    assert_eq!(in_namespace("operator", "west"), 403);
    assert_eq!(in_namespace("admin", "north"), 403);
    assert_eq!(parted.get("/api/v1/jobs", &realm.token("viewer", "fathom", "ES256")).0, 200);

    // New keys are taken up, and the old ones count no more.
    let old = realm.token("viewer", "fathom", "RS256");
    assert_eq!(site.get("/api/v1/jobs", &old).0, 200);
    realm.change_keys();
    until(&site, &realm.token("viewer", "fathom", "RS256"), 200);
    assert_eq!(site.get("/api/v1/jobs", &old).0, 401);

    // Whose key is at hand does not need the provider; a service that begins without it has none.
    let kept = realm.token("viewer", "fathom", "EdDSA");
    until(&site, &kept, 200);
    control("kill");
    assert_eq!(site.get("/api/v1/jobs", &kept).0, 200);
    let late = serve(&realm, folder.path(), &[]);
    let (status, problem) = late.get("/api/v1/jobs", &kept);
    assert_eq!((status, &problem["code"]), (503, &json!("IDENTITY_PROVIDER_UNAVAILABLE")));
    assert_eq!(late.get("/api/v1/jobs", &token(folder.path(), "viewer")).0, 200);
    assert!(late.said().contains("has no keys for us"), "{}", late.said());
    control("start");
    until(&late, &realm.token("viewer", "fathom", "ES256"), 200);
    assert!(late.said().contains("answers again"), "{}", late.said());

    // The doctor says so too.
    let doctor = |further: &str| {
        let mut command = fathom();
        command.arg("doctor");
        for setting in realm.settings().iter().map(String::as_str).chain([further]) {
            command.args(["--set", setting]);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let healthy = doctor("auth.oidc.audience=fathom");
    assert!(healthy.contains("the provider of identities has keys for us"), "{healthy}");
    let unwell = doctor("auth.oidc.issuer=https://localhost:1");
    assert!(unwell.contains("its users cannot get in"), "{unwell}");

    // A provider whose certificate is of nobody that is trusted is none.
    let distrusting = serve(&realm, elsewhere.path(), &["auth.oidc.ca_file="]);
    let (status, problem) =
        distrusting.get("/api/v1/jobs", &realm.token("admin", "fathom", "ES256"));
    assert_eq!(status, 503, "{problem}");
    assert!(!problem.to_string().contains(&realm.issuer), "{problem}");
}
