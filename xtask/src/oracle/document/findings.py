"""Reads a document of findings with the schemas that others have for its format.

    findings.py KIND SCHEMA DOCUMENT FINDINGS

FINDINGS are those that the document was made of, as JSON. Says every difference on a line of its own,
and ends with 1 if there is any.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree

problems = []


def expect(holds, what):
    if not holds:
        problems.append(what)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validate(validator, document):
    for error in validator.iter_errors(document):
        problems.append(f"{error.json_path}: {error.message[:300]}")


def check_sarif(schema, path, findings):
    from jsonschema import Draft4Validator, FormatChecker

    schema = load(schema)
    Draft4Validator.check_schema(schema)
    document = load(path)
    validate(Draft4Validator(schema, format_checker=FormatChecker()), document)
    results = document["runs"][0]["results"]
    suppressed = [one for one in results if one.get("suppressions")]
    expect(len(suppressed) == len(findings["excepted"]), "not all exceptions are suppressed")
    expect(len(results) - len(suppressed) == len(findings["vulnerabilities"]), "other findings")
    rules = document["runs"][0]["tool"]["driver"]["rules"]
    for one in results:
        expect(rules[one["ruleIndex"]]["id"] == one["ruleId"], "a rule of another name")


def check_cyclonedx(_, path, findings):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from packageurl import PackageURL

    with open(path, encoding="utf-8") as file:
        text = file.read()
    for error in JsonStrictValidator(SchemaVersion.V1_6).validate_str(text, all_errors=True) or ():
        problems.append(f"the schema: {str(error)[:500]}")
    document = json.loads(text)
    references = {one["bom-ref"] for one in document["components"]}
    states = set()
    affected = 0
    for flaw in document["vulnerabilities"]:
        states.add(flaw["analysis"]["state"])
        affected += len(flaw["affects"])
        for one in flaw["affects"]:
            expect(one["ref"] in references, "a reference to nothing")
    expect({"not_affected", "resolved", "exploitable"} <= states, f"only {states}")
    count = len(findings["vulnerabilities"]) + len(findings["excepted"])
    expect(affected == count, f"{affected} packages are affected, not {count}")
    for one in document["components"]:
        if "purl" in one:
            expect(PackageURL.from_string(one["purl"]).to_string() == one["purl"], one["purl"])


def check_junit(schema, path, findings):
    import subprocess

    said = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--schema", schema, path], capture_output=True, text=True
    )
    expect(said.returncode == 0, said.stderr[:2000])
    suite = ElementTree.parse(path).getroot().find("testsuite")
    for name, element, list_of in (
        ("failures", "failure", findings["vulnerabilities"]),
        ("skipped", "skipped", findings["excepted"]),
        ("errors", "error", findings["notes"]),
    ):
        count = len(suite.findall(f"testcase/{element}"))
        expect(count == int(suite.get(name)) == len(list_of), f"{count} {name}")
    expect(int(suite.get("tests")) == len(suite.findall("testcase")), "not as many tests as it says")


def check_gitlab(_, path, findings):
    """By the documentation of GitLab: its schemas are in no registry that is at hand."""
    document = load(path)
    scan = document["scan"]
    for name in ("analyzer", "scanner", "type", "start_time", "end_time", "status"):
        expect(name in scan, f"scan has no {name}")
    expect(document["version"] == "15.0.7" and scan["type"] == "container_scanning", "the kind")
    for one in (scan["analyzer"], scan["scanner"]):
        expect(all(one[name] for name in ("id", "name", "version")) and one["vendor"]["name"], "who")
    flaws = document["vulnerabilities"]
    expect(len(flaws) == len(findings["vulnerabilities"]), "other findings")
    expect(len({one["id"] for one in flaws}) == len(flaws), "an id twice")
    severities = {"Info", "Unknown", "Low", "Medium", "High", "Critical"}
    for one in flaws:
        expect(one["severity"] in severities, one["severity"])
        expect(all(each["type"] and each["name"] and each["value"] for each in one["identifiers"]), "")
        place = one["location"]
        expect(place["dependency"]["package"]["name"], "no package")
        expect(place["operating_system"] and place["image"], "no place")


def check_schema(schema, path, _):
    from jsonschema import Draft202012Validator

    validate(Draft202012Validator(load(schema)), load(path))


def main():
    kind, schema, path, findings = sys.argv[1:]
    checks = {
        "sarif": check_sarif,
        "cyclonedx": check_cyclonedx,
        "junit": check_junit,
        "gitlab": check_gitlab,
        "schema": check_schema,
    }
    checks[kind](schema, path, load(findings))
    for problem in problems[:20]:
        print(problem)
    sys.exit(1 if problems else 0)


main()
