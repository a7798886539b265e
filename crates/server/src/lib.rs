//! The service over HTTP: the interface, who may use it, and what it tells of itself.

#![forbid(unsafe_code)]
