//! Ruby, PHP and .NET.

use anyhow::Result;
use fathom_guest::report::{Package, PackageKind};

use super::{folder, found, same, shown};
use crate::oracle::Work;
use crate::tools;

fn lines(packages: Vec<Package>) -> Vec<String> {
    packages.iter().map(|it| format!("{}\t{}", it.name, it.version)).collect()
}

/// What comes with Ruby, and gems that are built and installed here, one in two versions.
pub(super) fn gem(work: &Work) -> Result<()> {
    work.bash(
        r#"mkdir -p root/usr/lib/ruby root/usr/share root/opt build; cd build
build() {
  printf 'Gem::Specification.new do |s|\n s.name = "%s"\n s.version = "%s"\n s.summary = "s"\n s.authors = ["Joe"]\n s.files = []\n s.license = "MIT"\n s.homepage = "https://x"\n%b\nend\n' "$1" "$2" "${3-}" > one.gemspec
  gem build -q one.gemspec -o "$1-$2.gem" 2>&1; gem install -q --local --force --no-document --install-dir ../root/opt/gems "$1-$2.gem" 2>&1
}
build some-gem 1.2.3; build some-gem 2.0.0.beta1; build other_gem 0.1 's.add_dependency "some-gem", ">= 1"'
build native 3.4 's.platform = "x86_64-linux"'
cp -a /usr/lib/ruby/gems ../root/usr/lib/ruby/; cp -a /usr/share/rubygems-integration ../root/usr/share/"#,
    )?;
    let said = work.bash(
        r#"list() { ruby -rrubygems -e '
paths = ARGV.flat_map { |path| Dir[path + "/**/specifications"] }
paths.each do |path|
  Dir[path + "/{*,default/*}.gemspec"].each do |file|
    spec = Gem::Specification.load(file); puts spec.name + "\t" + spec.version.to_s
  end
end' "$@"; }
list root/opt root/usr"#,
    )?;
    same(&said, &lines(found(work, PackageKind::Gem)?))?;
    // The list that people see.
    let said = work.bash(
        r#"GEM_HOME=$PWD/root/opt/gems GEM_PATH=$PWD/root/opt/gems gem list --local -q --no-verbose | grep -E '^(some-gem|other_gem|native) ' | sort"#,
    )?;
    anyhow::ensure!(
        said == "native (3.4 x86_64-linux)\nother_gem (0.1)\nsome-gem (2.0.0.beta1, 1.2.3)\n",
        "{said}"
    );
    Ok(())
}

/// Packages from folders of this machine, as Composer installs and shows them.
pub(super) fn composer(work: &Work) -> Result<()> {
    let said = work.bash(
        r#"export COMPOSER_HOME=$PWD/home COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_DISABLE_NETWORK=1
mkdir -p root/srv one two
echo '{"name": "some/one", "version": "v1.2.0", "license": ["MIT"]}' > one/composer.json
echo '{"name": "some/two", "version": "2.0.0", "require": {"some/one": "*"}}' > two/composer.json
cp -r one two root/srv/; mkdir root/srv/app; cd root/srv/app
cat > composer.json <<'S'
{"name": "the/app", "require": {"some/two": "*"}, "minimum-stability": "dev",
 "repositories": [{"packagist.org": false}, {"type": "path", "url": "../one", "options": {"symlink": false}},
 {"type": "path", "url": "../two", "options": {"symlink": false}}]}
S
composer install --quiet --no-interaction 2>&1 >&2
composer show --no-interaction --format=json 2>/dev/null | python3 -c '
import json, sys
for one in json.load(sys.stdin)["installed"]: print(one["name"], one["version"], sep="\t")'"#,
    )?;
    same(&said, &lines(found(work, PackageKind::Composer)?))
}

/// A list that the compiler of .NET wrote, in a package of Python that carries a library of .NET. No
/// tool of .NET is to be had here: the second reader is Python's JSON.
pub(super) fn dotnet(work: &Work) -> Result<()> {
    let python = tools::python_with(&folder("requirements.txt"))?;
    let said = work.bash(&format!(
        r#"mkdir -p root/opt/app
cp $({python} -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/pythonnet/runtime/Python.Runtime.deps.json root/opt/app/
/usr/bin/python3 -c '
import json
for name, one in json.load(open("root/opt/app/Python.Runtime.deps.json", encoding="utf-8-sig"))["libraries"].items():
    if one["type"] == "package": print(*name.rsplit("/", 1), sep="\t")'"#,
        python = shown(&python),
    ))?;
    same(&said, &lines(found(work, PackageKind::Nuget)?))
}
