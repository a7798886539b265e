//! What the tests of an erratum say together: which packages of which release are mended by what.

/// What of some criteria must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    All,
    Any,
    /// None that is understood.
    Unknown,
}

/// Criteria, and what of them must hold.
#[derive(Debug)]
pub(super) struct Criteria {
    operator: Operator,
    tests: Vec<Test>,
    inner: Vec<Criteria>,
}

/// What one test asks, by its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// `Oracle Linux 8 is installed`
    Release(String),
    /// `Module nodejs:16 is enabled`
    Module(String),
    /// `bind is earlier than 30:9.3.3-8.el5`
    Earlier { package: String, version: String },
    /// What narrows nothing that we tell apart: who signed a package, or for which processor it is.
    Always,
    /// Something else.
    Unknown,
}

impl Test {
    fn of(comment: &str) -> Self {
        let comment = comment.trim();
        let release = || {
            let release = comment.strip_prefix("Oracle Linux ")?.strip_suffix(" is installed")?;
            let is_number = !release.is_empty() && release.bytes().all(|it| it.is_ascii_digit());
            is_number.then(|| Self::Release(release.to_owned()))
        };
        let module = || {
            let module = comment.strip_prefix("Module ")?.strip_suffix(" is enabled")?;
            module.contains(':').then(|| Self::Module(module.to_owned()))
        };
        let earlier = || {
            let (package, version) = comment.split_once(" is earlier than ")?;
            let version = version.trim();
            // An epoch of nought is none.
            let version = version.strip_prefix("0:").unwrap_or(version);
            Some(Self::Earlier { package: package.trim().to_owned(), version: version.to_owned() })
        };
        let always = || {
            let is_signed = comment.contains(" is signed with the Oracle Linux ");
            (is_signed || comment.starts_with("Oracle Linux arch is ")).then_some(Self::Always)
        };
        release().or_else(module).or_else(earlier).or_else(always).unwrap_or(Self::Unknown)
    }
}

/// That a version mends a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fix<'c> {
    pub(super) release: &'c str,
    /// The stream of a module that it is mended in.
    pub(super) module: Option<&'c str>,
    pub(super) package: &'c str,
    pub(super) version: &'c str,
}

/// What holds around some criteria.
#[derive(Clone, Copy, Default)]
struct Around<'c> {
    release: Option<&'c str>,
    module: Option<&'c str>,
}

impl Criteria {
    pub(super) fn of(operator: Operator, is_negated: bool) -> Self {
        let operator = if is_negated { Operator::Unknown } else { operator };
        Self { operator, tests: Vec::new(), inner: Vec::new() }
    }

    pub(super) fn add_test(&mut self, comment: &str, is_negated: bool) {
        self.tests.push(if is_negated { Test::Unknown } else { Test::of(comment) });
    }

    pub(super) fn add(&mut self, inner: Self) {
        self.inner.push(inner);
    }

    /// All that is mended; and what of it could not be told, if there is anything.
    pub(super) fn fixes(&self) -> (Vec<Fix<'_>>, Option<&'static str>) {
        let (mut fixes, mut unclear) = (Vec::new(), None);
        self.collect(Around::default(), &mut fixes, &mut unclear);
        if fixes.is_empty() && unclear.is_none() {
            unclear = Some("has no test of a package");
        }
        (fixes, unclear)
    }

    fn collect<'c>(
        &'c self,
        mut around: Around<'c>,
        fixes: &mut Vec<Fix<'c>>,
        unclear: &mut Option<&'static str>,
    ) {
        match self.operator {
            Operator::Unknown => *unclear = Some("has criteria that are not understood"),
            // What all of must hold holds around each.
            Operator::All => {
                for test in &self.tests {
                    match test {
                        Test::Release(release) => around.release = Some(release),
                        Test::Module(module) => around.module = Some(module),
                        Test::Unknown => {
                            *unclear = Some("has a test that is not understood");
                            return;
                        }
                        Test::Earlier { .. } | Test::Always => {}
                    }
                }
            }
            // Of what any may hold, a release or a module by itself would be a way to have the flaw.
            Operator::Any => {
                if self.tests.iter().any(|test| !matches!(test, Test::Earlier { .. })) {
                    *unclear = Some("has a test that is no way to have a flaw");
                }
            }
        }
        if self.operator == Operator::Unknown {
            return;
        }
        for test in &self.tests {
            let Test::Earlier { package, version } = test else { continue };
            match around.release {
                Some(release) => {
                    fixes.push(Fix { release, module: around.module, package, version });
                }
                None => *unclear = Some("does not say of which release a package is"),
            }
        }
        for inner in &self.inner {
            inner.collect(around, fixes, unclear);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(tests: &[&str], inner: Vec<Criteria>) -> Criteria {
        of(Operator::All, tests, inner)
    }

    fn any(tests: &[&str], inner: Vec<Criteria>) -> Criteria {
        of(Operator::Any, tests, inner)
    }

    fn of(operator: Operator, tests: &[&str], inner: Vec<Criteria>) -> Criteria {
        let mut criteria = Criteria::of(operator, false);
        tests.iter().for_each(|test| criteria.add_test(test, false));
        inner.into_iter().for_each(|it| criteria.add(it));
        criteria
    }

    #[track_caller]
    fn check(criteria: &Criteria, expected: &[&str], is_clear: bool) {
        let (fixes, unclear) = criteria.fixes();
        let shown: Vec<_> = fixes
            .iter()
            .map(|it| format!("{} {:?} {} {}", it.release, it.module, it.package, it.version))
            .collect();
        assert_eq!(shown, expected);
        assert_eq!(unclear.is_none(), is_clear, "{unclear:?}");
    }

    #[test]
    fn what_stands_around_a_test_holds_for_it() {
        let of_package = |package: &str, version: &str| {
            let earlier = format!("{package} is earlier than {version}");
            let signed = format!("{package} is signed with the Oracle Linux 8 key");
            all(&[&earlier, &signed], Vec::new())
        };
        let plain = all(
            &["Oracle Linux 7 is installed"],
            vec![any(&[], vec![of_package("sudo", "0:1.8.23-4.0.1.el7")])],
        );
        check(&plain, &["7 None sudo 1.8.23-4.0.1.el7"], true);
        let streams = all(
            &["Oracle Linux 8 is installed", "Oracle Linux arch is x86_64"],
            vec![any(
                &[],
                vec![
                    all(
                        &["Module nodejs:16 is enabled"],
                        vec![any(&[], vec![of_package("nodejs", "1:16.2-1.module+el8.5.0+1+a")])],
                    ),
                    of_package("npm", "1-1"),
                ],
            )],
        );
        check(
            &streams,
            &["8 Some(\"nodejs:16\") nodejs 1:16.2-1.module+el8.5.0+1+a", "8 None npm 1-1"],
            true,
        );
    }

    #[test]
    fn what_is_not_understood_is_said_and_never_widened() {
        let test = "bash is earlier than 0:4-1";
        let release = "Oracle Linux 8 is installed";
        check(&all(&[release, "the moon is full", test], Vec::new()), &[], false);
        check(&all(&[test], Vec::new()), &[], false);
        check(&all(&[release], Vec::new()), &[], false);
        check(&any(&[release, test], Vec::new()), &[], false);
        let mut negated = Criteria::of(Operator::All, true);
        negated.add_test(test, false);
        check(&all(&[release], vec![negated]), &[], false);
        let mut negated = all(&[release], Vec::new());
        negated.add_test(test, true);
        check(&negated, &[], false);
        // What stands beside it is told all the same.
        let odd = all(&["who knows", test], Vec::new());
        let both = all(&[release], vec![any(&[test], vec![odd])]);
        check(&both, &["8 None bash 4-1"], false);
    }
}
