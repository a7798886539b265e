//! The protocol of jobs: what is accepted, who may do it, and how often it is tried.

#![forbid(unsafe_code)]
