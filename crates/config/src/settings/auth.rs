//! Who may use the API.

use std::path::PathBuf;

use fathom_secret::Secret;

use super::group;
use super::secret_source::SecretSource;
use crate::value::Span;

group! {
    /// Who may use the API.
    pub struct Auth {
        /// Whether anybody has to say who they are. Without it everybody may do everything.
        pub enabled: bool,
        /// A provider of identities that speaks OpenID Connect.
        pub oidc: Oidc,
        /// Tokens that fathom gives out itself.
        pub tokens: Tokens,
        /// Users who log in with a password.
        pub users: Users,
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            enabled: true,
            oidc: Oidc::default(),
            tokens: Tokens::default(),
            users: Users::default(),
        }
    }
}

group! {
    /// A provider of identities that speaks OpenID Connect.
    pub struct Oidc {
        /// Its address, as tokens name it. Without one there is no such provider.
        pub issuer: Option<String>,
        /// What tokens must be meant for.
        pub audience: Option<String>,
        /// Where its keys are. Default: what the issuer says.
        pub jwks_url: Option<String>,
        /// Authorities to trust for it, in PEM. Default: those that this host trusts.
        pub ca_file: Option<PathBuf>,
        /// The claim that names the user.
        pub user_claim: String,
        /// The claim that lists roles; a dot leads into it, as realm_access.roles.
        pub roles_claim: String,
        /// Which of the claim's values are which roles here.
        pub roles: Roles,
        /// The claim that lists the namespaces that a user sees, where * means all of them. Without it
        /// every user sees all of them.
        pub namespaces_claim: Option<String>,
        /// How far its clock and ours may differ.
        pub leeway: Span,
    }
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            audience: None,
            jwks_url: None,
            ca_file: None,
            user_claim: "sub".into(),
            roles_claim: "roles".into(),
            roles: Roles::default(),
            namespaces_claim: None,
            leeway: Span::seconds(60),
        }
    }
}

group! {
    /// Values of the claim that are roles here.
    pub struct Roles {
        /// Values that mean: may do everything.
        pub admin: Vec<String>,
        /// Values that mean: may start jobs.
        pub operator: Vec<String>,
        /// Values that mean: may read.
        pub viewer: Vec<String>,
    }
}

impl Default for Roles {
    fn default() -> Self {
        let only = |name: &str| vec![name.to_owned()];
        Self { admin: only("admin"), operator: only("operator"), viewer: only("viewer") }
    }
}

group! {
    /// Tokens that fathom gives out itself.
    pub struct Tokens {
        /// Whether such tokens are taken.
        pub enabled: bool,
        /// How long one is good at most.
        pub max_lifetime: Span,
        /// A token with the role admin, to set an installation up with.
        #[schemars(with = "Option<SecretSource>")]
        pub bootstrap: Option<Secret>,
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { enabled: true, max_lifetime: Span::days(365), bootstrap: None }
    }
}

group! {
    /// Users who log in with a password.
    pub struct Users {
        /// How long a login counts.
        pub session_lifetime: Span,
    }
}

impl Default for Users {
    fn default() -> Self {
        Self { session_lifetime: Span::minutes(12 * 60) }
    }
}
