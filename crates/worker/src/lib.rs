//! Runs jobs, each image in a confined child process.
//!
//! [`run`] is the loop of a worker: it takes jobs on, has them done side by side by the [`Handler`]
//! of their operation, and says what came of each. [`machine`] has the operations on machines. A handler knows neither leases nor tries; it is
//! given a [`Task`] and gives what the operation gives, or why it could not be done.

#![forbid(unsafe_code)]

mod echo;
mod handler;
pub mod image;
pub mod machine;
mod meters;
mod runner;
mod source;
mod span;
mod teller;

pub use echo::Echo;
pub use handler::{Done, Handler, Handlers, Running, Stop, Task, Trouble};
pub use meters::Meters;
pub use runner::{Rules, run};
pub use source::Source;
