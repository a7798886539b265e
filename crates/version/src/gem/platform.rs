//! The platform that the name of a gem has behind its version: `1.2.3-x86_64-linux`.

/// Systems that gems are built for. What is behind the name of one is no letter.
const SYSTEMS: &str = "aix android cygwin dalvik darwin dotnet dragonfly emscripten freebsd java \
                       jruby linux macruby mingw mswin netbsd openbsd solaris wasi";

/// Processors that gems are built for.
const PROCESSORS: &str = "aarch64 amd64 arm arm64 i386 i486 i586 i686 universal wasm32 x64 x86 \
                          x86_64";

/// Processors of which there are several, by what is behind the name.
const FAMILIES: &str = "armv loongarch mips powerpc ppc riscv s390 sparc";

/// The version without its platform, if it has one.
pub(super) fn without(version: &str) -> &str {
    match version.split_once('-') {
        Some((alone, platform)) if is_platform(platform) => alone,
        _ => version,
    }
}

/// A system, with a processor before it or alone.
fn is_platform(text: &str) -> bool {
    match text.split_once('-') {
        Some((processor, system)) if is_system(system) => {
            PROCESSORS.split(' ').any(|known| known == processor)
                || FAMILIES.split(' ').any(|known| processor.starts_with(known))
        }
        _ => is_system(text),
    }
}

fn is_system(text: &str) -> bool {
    let behind = SYSTEMS.split(' ').find_map(|known| text.strip_prefix(known));
    behind.is_some_and(|behind| !behind.starts_with(|first: char| first.is_ascii_alphabetic()))
}
