//! What distributes work between processes: brokers behind one trait.

#![forbid(unsafe_code)]
