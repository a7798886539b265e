//! Damaged versions, a line each, which every order takes for its own.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "version",
        seeds,
        fix: |_, _| {},
        exercise: exercise::version,
        refused: &[],
    }]
}

/// Versions of every kind.
fn seeds(_: &Work) -> Result<Vec<Vec<u8>>> {
    let texts: [&str; 4] = [
        "1:2.36-9+deb12u10\n2.36-9~bpo1\n5.14.0-427.el9\n1.0~rc1^git2-1\n1.2.3b_rc1_p2~0a1b-r4\n\
         2:1.0.r5.gabc-3\n10.0.19041.1 (WinBuild.160101.0800)\n",
        "v1.2.3-rc.1+build\n1.2.4-0.20191109021931-daa7c04131f5\ngo1.22rc1\n1.0.0-BETA.x.5.77.0+AA\n\
         1.2.3.4-alpha\n=1.2.3beta\n",
        "1!2.0rc4.post5.dev6+local.7\n1.0-1\n1.0-x.0.0-preview-final\n1.0.0.Final-redhat-1\n\
         1-1.foo-bar1baz-.1\n1.0.sp.1\n2.0-alpha-SNAPSHOT\n",
        "1.0.a.0.0.b\n1.2.3.rc1-x86_64-linux\n1.x-dev\n1.0-beta2.1-dev\n2010-01-31\n\
         99999999999999999999.0.0.18446744073709551616\n",
    ];
    Ok(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
}
