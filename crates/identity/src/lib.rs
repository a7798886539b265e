//! Tokens of a provider that speaks OpenID Connect: whether they count, and what they say.
//!
//! A provider signs what it says of its users, and publishes the keys by which everybody can see that
//! it was said by it. [`Provider::identify`] judges a token by the keys that are at hand and never
//! waits; where it answers [`Refusal::Keys`], [`Provider::renew`] asks the provider for them, which
//! may take seconds. How often it is asked has a bound, whatever tokens come in.
//!
//! Signatures of the asymmetric kinds count ([`algorithm`]) and no others: whoever could choose the
//! kind could otherwise sign with what is public.

#![forbid(unsafe_code)]

mod address;
mod algorithm;
mod claims;
mod fetch;
mod key;
mod provider;
mod token;

pub use claims::Identity;
pub use provider::{Provider, Refusal, Settings};
