//! Texts that mask themselves wherever they are shown.

#![forbid(unsafe_code)]
