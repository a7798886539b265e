"""Reads a document with the tools that others have for its format, and compares it with the report.

    check.py KIND REPORT DOCUMENT…

Says every difference on a line of its own, and ends with 1 if there is any.
"""

import csv
import json
import sys

problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def packages(report):
    return [package for system in report["systems"] for package in system["packages"]["items"]]


def full_version(package):
    epoch = f"{package['epoch']}:" if "epoch" in package else ""
    release = f"-{package['release']}" if "release" in package else ""
    return f"{epoch}{package['version']}{release}"


def check_yaml(report, path):
    import yaml

    with open(path, encoding="utf-8") as file:
        expect(yaml.safe_load(file) == report, "PyYAML reads something else than JSON")


def check_csv(report, *paths):
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, strict=True))
        heads = rows[0].keys()
        expect(None not in heads, f"{path}: a row is longer than the head")
        expect(all(None not in row.values() for row in rows), f"{path}: a row is too short")
        expect(all(row["coverage"] in ("complete", "partial", "unknown") for row in rows), path)
        if not path.endswith("packages.csv"):
            continue
        # A list without any has one row, which says why.
        ours = [
            (row["kind"], row["name"], row["version"], row["licence"]) for row in rows if row["kind"]
        ]
        theirs = [
            (one["kind"], one["name"], full_version(one), one.get("licence", ""))
            for one in packages(report)
        ]
        # What a spreadsheet would compute has a quote before it.
        bare = [tuple(text.removeprefix("'") for text in row) for row in ours]
        plain = [tuple(text.removeprefix("'") for text in row) for row in theirs]
        expect(bare == plain, f"{path}: other packages than in the report")
        expect(
            not any(text.startswith("=") for row in rows for text in row.values()),
            f"{path}: a formula",
        )


def check_html(report, path):
    import html5lib

    with open(path, "rb") as file:
        text = file.read()
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(text)
    scripts = tree.findall(".//script")
    expect(len(scripts) == 1, f"{len(scripts)} scripts")
    for element in tree.iter():
        if not isinstance(element.tag, str):
            problems.append("a comment")
            continue
        for name in element.attrib:
            expect(not name.startswith("on"), f"{element.tag} {name}")
            expect(name not in ("src", "srcset", "style", "action"), f"{element.tag} {name}")
        target = element.attrib.get("href", "#")
        expect(target.startswith("#"), f"a link to {target}")
        expect(element.tag not in ("link", "img", "iframe", "object", "base"), element.tag)
    policy = tree.find(".//meta[@http-equiv]")
    expect(policy is not None, "no policy")
    expect("default-src 'none'" in policy.attrib["content"], "the policy allows too much")
    import base64
    import hashlib

    for kind, element in (("script-src", scripts[0]), ("style-src", tree.find(".//style"))):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        wanted = f"{kind} 'sha256-{digest}'"
        expect(wanted in policy.attrib["content"], f"{kind} does not admit what is there")
    ids = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    expect(len(ids) == len(set(ids)), "an id twice")
    cells = {"".join(cell.itertext()) for cell in tree.iter("td")}
    for package in packages(report):
        name = package["name"]
        if name.isprintable():
            expect(name in cells, f"{name!r} is not in the page")


def check_purl(url, package, identity):
    from packageurl import PackageURL

    parsed = PackageURL.from_string(url)
    expect(parsed.to_string() == url, f"{url} is rebuilt as {parsed.to_string()}")
    if package is None:
        return
    # The last part of the name, as the package's own tools write it, is that of the package URL.
    name = package["name"]
    if package["kind"] in ("npm", "go", "composer", "portage"):
        name = name.rsplit("/", 1)[-1]
    if package["kind"] == "maven":
        name = name.rsplit(":", 1)[-1]
    if package["kind"] == "python":
        name = name.replace("_", "-")
    expect(parsed.name.lower() == name.lower(), f"{url}: not the name {name!r}")
    version = full_version(package)
    if package["kind"] == "rpm" and "epoch" in package:
        version = version.split(":", 1)[1]
        expect(parsed.qualifiers.get("epoch") == str(package["epoch"]), f"{url}: no epoch")
    expect((parsed.version or "") == version, f"{url}: not the version {version!r}")
    if package["kind"] in ("deb", "rpm", "apk", "pacman"):
        expect(parsed.namespace is not None, f"{url}: no namespace")
        architecture = package.get("architecture")
        expect(parsed.qualifiers.get("arch") == architecture, f"{url}: not {architecture}")
        expect("distro" in parsed.qualifiers, f"{url}: no distribution")


def check_cyclonedx(report, path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with open(path, encoding="utf-8") as file:
        text = file.read()
    for error in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or ():
        problems.append(f"the schema: {str(error)[:500]}")
    document = json.loads(text)
    systems = len(report["systems"])
    listed = document["components"]
    expect(all(one["type"] == "operating-system" for one in listed[:systems]), "systems first")
    expect(len(listed) == systems + len(packages(report)), "not as many components as packages")
    references = [one["bom-ref"] for one in listed]
    references.append(document["metadata"]["component"]["bom-ref"])
    expect(len(references) == len(set(references)), "a reference twice")
    reached = {ref for one in document["dependencies"] for ref in one["dependsOn"]}
    expect(reached | {"machine"} == set(references), "not everything hangs on the machine")
    component = iter(listed[systems:])
    for system in report["systems"]:
        for package in system["packages"]["items"]:
            one = next(component)
            if "purl" in one:
                check_purl(one["purl"], package, system["identity"])
            else:
                expect(
                    package["kind"] in ("deb", "rpm", "apk", "pacman"),
                    f"{package['name']} has no package URL",
                )
    for one in listed[:systems]:
        if "purl" in one:
            check_purl(one["purl"], None, None)
    wanted = {"complete": "complete", "partial": "incomplete", "unknown": "unknown"}
    said = [one["aggregate"] for one in document["compositions"][1:]]
    theirs = [wanted[system["packages"]["coverage"]] for system in report["systems"]]
    expect(said == theirs, f"compositions are {said}, not {theirs}")


def check_spdx(report, path):
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = parse_file(path)
    for message in validate_full_spdx_document(document):
        problems.append(f"{message.validation_message} ({message.context.spdx_id})")
    systems = len(report["systems"])
    listed = document.packages[1 + systems :]
    expect(len(listed) == len(packages(report)), "not as many packages as in the report")
    for one, package in zip(listed, packages(report)):
        expect(one.name == package["name"], f"{one.name!r} is not {package['name']!r}")
        expect(one.version == full_version(package), f"{one.name}: {one.version}")
    partial = [one for one in report["systems"] if one["packages"]["coverage"] != "complete"]
    annotated = {one.spdx_id for one in document.annotations}
    expect(len(annotated) == len(partial), "an incomplete list is not annotated")


def check_schema(schema, path):
    import jsonschema

    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(document):
        problems.append(f"{error.json_path}: {error.message[:300]}")


def main():
    kind, report, *paths = sys.argv[1:]
    with open(report, encoding="utf-8") as file:
        report = json.load(file)
    checks = {
        "yaml": check_yaml,
        "csv": check_csv,
        "html": check_html,
        "cyclonedx": check_cyclonedx,
        "spdx": check_spdx,
        "schema": check_schema,
    }
    checks[kind](report, *paths)
    for problem in problems[:20]:
        print(problem)
    sys.exit(1 if problems else 0)


main()
