//! Every setting of the service: one file, the environment, and what is typed.

#![forbid(unsafe_code)]
