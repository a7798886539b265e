//! What we know, on SQLite or PostgreSQL.

#![forbid(unsafe_code)]
