//! Images made by hand to hurt: bombs, loops, cycles, and numbers that no disk has. The program
//! itself reads each, with little memory and little time, and must end as it says it does: with
//! the right exit code, a line for every problem, and the right answer where there is one.

mod container;
mod filesystem;
mod machine;
mod probe;
mod volume;

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use self::probe::{Ask, Fathom};
use crate::oracle::Work;

/// What the scripts that make images share, by the name of the Python module.
const MODULES: [(&str, &str); 4] = [
    ("container.py", include_str!("container.py")),
    ("filesystem.py", include_str!("filesystem.py")),
    ("machine.py", include_str!("machine.py")),
    ("volume.py", include_str!("volume.py")),
];

/// Which images to read.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this.
    filter: Option<String>,
    /// Keep the working folder of every case, to look at it.
    #[arg(long)]
    keep: bool,
}

/// One kind of hostility: how to make it, what to ask the program then, and what must hold at last.
struct Case {
    name: &'static str,
    /// A Python script that makes images in the working folder.
    make: &'static str,
    asks: Vec<Ask>,
    /// A bash script that fails unless all is well, run when everything was asked.
    after: &'static str,
}

impl Case {
    fn new(name: &'static str, make: &'static str, asks: impl Into<Vec<Ask>>) -> Self {
        Self { name, make, asks: asks.into(), after: "" }
    }

    fn after(self, after: &'static str) -> Self {
        Self { after, ..self }
    }

    fn run(&self, fathom: &Fathom, keep: bool) -> Result<()> {
        let work = Work::new(&format!("hostile-{}", self.name), keep)?;
        for (name, text) in MODULES {
            std::fs::write(work.path(name), text)?;
        }
        std::fs::write(work.path("make.py"), self.make)?;
        work.bash("PYTHONDONTWRITEBYTECODE=1 python3 make.py")?;
        for ask in &self.asks {
            fathom.ask(&work, ask).with_context(|| format!("fathom {}", ask.arguments))?;
        }
        work.bash(self.after)?;
        Ok(())
    }
}

/// Reads all images and prints a line for each case.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let fathom = Fathom::build()?;
    let filter = arguments.filter.as_deref().unwrap_or("");
    let cases = [container::cases(), volume::cases(), filesystem::cases(), machine::cases()];
    let (mut passed, mut failed) = (0, 0);
    for case in cases.iter().flatten().filter(|case| case.name.contains(filter)) {
        let started = Instant::now();
        let outcome = case.run(&fathom, arguments.keep);
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => {
                println!("ok    {:<40} {seconds:>6.1} s", case.name);
                passed += 1;
            }
            Err(error) => {
                println!("WRONG {:<40} {seconds:>6.1} s\n{error:#}\n", case.name);
                failed += 1;
            }
        }
    }
    println!("hostile: {passed} passed, {failed} failed");
    if failed > 0 || passed == 0 {
        bail!("not every hostile image was withstood")
    }
    Ok(())
}
