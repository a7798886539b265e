//! Runs jobs, each image in a confined child process.

#![forbid(unsafe_code)]

pub mod image;
