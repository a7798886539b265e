//! A provider, and its keys as far as they are at hand.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::address::is_safe;
use crate::claims::{Identity, judge};
use crate::fetch;
use crate::key::Keys;
use crate::token::Token;

/// Keys that are older are asked for anew, and count meanwhile.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// Keys that are older count no more: one that the provider has withdrawn must not count for ever.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The provider is not asked more often, whatever tokens come in.
const PAUSE: Duration = Duration::from_secs(5);
/// How many keys one token is tried with.
const TRIES: usize = 16;

/// Where a provider is, and how its tokens are read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address, as tokens name it.
    pub issuer: String,
    /// What tokens must be meant for.
    pub audience: String,
    /// Where its keys are; nothing: where it says.
    pub keys: Option<String>,
    /// Authorities to trust for it, in PEM; nothing: those of this system.
    pub ca_file: Option<PathBuf>,
    /// The claim that names the user.
    pub user_claim: String,
    /// The claim that lists roles.
    pub roles_claim: String,
    /// The claim that lists namespaces; nothing: all users see all of them.
    pub namespaces_claim: Option<String>,
    /// How far its clock and ours may differ.
    pub leeway: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            keys: None,
            ca_file: None,
            user_claim: "sub".to_owned(),
            roles_claim: "roles".to_owned(),
            namespaces_claim: None,
            leeway: Duration::from_secs(60),
        }
    }
}

/// Why nobody is known by a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token does not count, and why.
    Token(&'static str),
    /// It may, but the keys are to be fetched first: [`Provider::renew`], and once more.
    Keys,
    /// It may, but the provider could not be asked for its keys just now: why.
    Away(String),
}

/// A provider.
pub struct Provider {
    settings: Settings,
    state: Mutex<State>,
    /// Held by who asks the provider.
    asking: Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Option<(Arc<Keys>, Instant)>,
    /// When it was asked last, and why it did not answer.
    asked: Option<(Instant, Result<(), String>)>,
}

impl Provider {
    /// Nothing is asked yet. Fails where an address is none that can be trusted.
    pub fn new(settings: Settings) -> Result<Self, String> {
        for url in std::iter::once(&settings.issuer).chain(&settings.keys) {
            if !is_safe(url) {
                return Err(format!("{url:?} does not begin with https://"));
            }
        }
        if settings.audience.is_empty() {
            return Err("no audience is named, so that tokens for others would be taken".to_owned());
        }
        Ok(Self { settings, state: Mutex::default(), asking: Mutex::default() })
    }

    /// Who this token is about, at this time. Waits for nothing.
    pub fn identify(&self, token: &str, now: SystemTime) -> Result<Identity, Refusal> {
        let token = Token::parse(token).map_err(Refusal::Token)?;
        // What it says is looked at first: the provider is not asked on behalf of what cannot count.
        let identity = judge(&token.claims, &self.settings, now).map_err(Refusal::Token)?;
        let keys = self.keys()?;
        let mut known = false;
        for key in keys.of(token.kid.as_deref(), token.algorithm).take(TRIES) {
            known = true;
            if token.algorithm.verify(key, token.message.as_bytes(), &token.signature) {
                return Ok(identity);
            }
        }
        if known {
            return Err(Refusal::Token("the signature is not one of the provider's"));
        }
        // It may have new keys.
        Err(match &self.state().asked {
            Some((at, Ok(()))) if at.elapsed() < PAUSE => {
                Refusal::Token("the provider has no such key")
            }
            Some((at, Err(why))) if at.elapsed() < PAUSE => Refusal::Away(why.clone()),
            _ => Refusal::Keys,
        })
    }

    /// Whether it would be well to call [`Provider::renew`] beside what goes on.
    pub fn is_due(&self) -> bool {
        let state = self.state();
        let old = |at: &Instant, age: Duration| at.elapsed() > age;
        state.keys.as_ref().is_some_and(|(_, at)| old(at, FRESH))
            && state.asked.as_ref().is_none_or(|(at, _)| old(at, PAUSE))
    }

    /// Asks the provider for its keys, unless that was just done, and says why it has none for us.
    /// Blocks for some seconds at most; who comes meanwhile waits for the same answer.
    pub fn renew(&self) -> Result<(), String> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, outcome)) = &self.state().asked
            && at.elapsed() < PAUSE
        {
            return outcome.clone();
        }
        let fetched = fetch::keys(&self.settings);
        let mut state = self.state();
        let now = Instant::now();
        let outcome = match fetched {
            Ok(keys) => {
                state.keys = Some((Arc::new(keys), now));
                Ok(())
            }
            Err(why) => Err(why),
        };
        state.asked = Some((now, outcome.clone()));
        outcome
    }

    /// The keys, as long as they count.
    fn keys(&self) -> Result<Arc<Keys>, Refusal> {
        let state = self.state();
        match (&state.keys, &state.asked) {
            (Some((keys, at)), _) if at.elapsed() < LONGEST => Ok(Arc::clone(keys)),
            (_, Some((at, Err(why)))) if at.elapsed() < PAUSE => Err(Refusal::Away(why.clone())),
            _ => Err(Refusal::Keys),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
