//! A child process that has nothing to lose: descriptors passed in, nothing opened, no network.

#![forbid(unsafe_code)]
