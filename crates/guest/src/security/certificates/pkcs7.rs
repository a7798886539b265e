//! Certificates in a container of PKCS #7, as `.p7b` files are (RFC 5652): signed data without anything
//! that is signed.

use x509_parser::asn1_rs::{Any, Class, Tag};
use x509_parser::prelude::FromDer as _;

/// The number of signed data.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The certificates in it, at most so many; nothing where it is something else.
pub(super) fn certificates(der: &[u8], limit: usize) -> Option<Vec<Vec<u8>>> {
    // ContentInfo ::= SEQUENCE { OBJECT IDENTIFIER, [0] { SignedData } }
    let (_, whole) = Any::from_der(der).ok()?;
    let (rest, kind) = Any::from_der(whole.data).ok()?;
    if whole.tag() != Tag::Sequence || kind.tag() != Tag::Oid || kind.data != SIGNED_DATA {
        return None;
    }
    let (_, content) = Any::from_der(rest).ok()?;
    let (_, signed) = Any::from_der(content.data).ok()?;
    // SignedData ::= SEQUENCE { version, algorithms, what is signed, [0] certificates OPTIONAL, …
    let mut rest = signed.data;
    for _ in 0..3 {
        (rest, _) = Any::from_der(rest).ok()?;
    }
    let mut found = Vec::new();
    let Ok((_, set)) = Any::from_der(rest) else { return Some(found) };
    if set.header.class() != Class::ContextSpecific || set.tag().0 != 0 {
        return Some(found);
    }
    let mut rest = set.data;
    while !rest.is_empty() && found.len() < limit {
        let (behind, _) = Any::from_der(rest).ok()?;
        found.push(rest[..rest.len() - behind.len()].to_vec());
        rest = behind;
    }
    Some(found)
}
