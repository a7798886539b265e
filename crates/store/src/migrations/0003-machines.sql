-- Documents, by what is in them. One that is like another says only where it differs (`base`). Where
-- `bytes` is nothing it lies outside.
CREATE TABLE blobs (
    number {serial},
    digest TEXT NOT NULL UNIQUE,
    base BIGINT,
    size BIGINT NOT NULL,
    bytes {blob}
);
CREATE INDEX blobs_base ON blobs (base) WHERE base IS NOT NULL;

-- Machines, as the newest look at each tells them. What is not known is nothing, never a guess:
-- `packages_known` and `flaws_known` say whether that something is not there can be told.
CREATE TABLE machines (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    alias TEXT,
    name TEXT {bytewise} NOT NULL,
    version BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    inspection BIGINT NOT NULL,
    hostname TEXT,
    family TEXT,
    os TEXT,
    os_version TEXT,
    os_name TEXT,
    architecture TEXT,
    kernel TEXT,
    packages {short},
    packages_base {short},
    package_count BIGINT,
    packages_known BIGINT NOT NULL,
    flaws {short},
    flaws_base {short},
    flaws_known BIGINT NOT NULL,
    likeness TEXT NOT NULL,
    matched_with TEXT,
    matched_at BIGINT,
    match_after BIGINT NOT NULL,
    risk DOUBLE PRECISION,
    critical BIGINT,
    high BIGINT,
    medium BIGINT,
    low BIGINT,
    negligible BIGINT,
    unrated BIGINT,
    exploited BIGINT,
    fixable BIGINT,
    excepted BIGINT,
    UNIQUE (namespace, key)
);
CREATE INDEX machines_packages ON machines (packages, number);
CREATE INDEX machines_packages_base ON machines (packages_base, number);
CREATE INDEX machines_flaws ON machines (flaws, number);
CREATE INDEX machines_flaws_base ON machines (flaws_base, number);
CREATE INDEX machines_name ON machines (name, number);
CREATE INDEX machines_alias ON machines (alias) WHERE alias IS NOT NULL;
CREATE INDEX machines_seen ON machines (seen_at, number);
CREATE INDEX machines_risk ON machines (COALESCE(risk, -1), number);
CREATE INDEX machines_matched ON machines (namespace, matched_with, likeness);

-- Looks at machines, each with what it found. One job makes one of them, however often it is tried.
CREATE TABLE inspections (
    number {serial},
    machine BIGINT NOT NULL,
    job TEXT UNIQUE,
    at BIGINT NOT NULL,
    report BIGINT NOT NULL REFERENCES blobs (number),
    findings BIGINT REFERENCES blobs (number),
    packages {short},
    flaws {short},
    risk DOUBLE PRECISION
);
CREATE INDEX inspections_of ON inspections (machine, number);
CREATE INDEX inspections_report ON inspections (report);
CREATE INDEX inspections_findings ON inspections (findings) WHERE findings IS NOT NULL;
CREATE INDEX inspections_packages ON inspections (packages);
CREATE INDEX inspections_flaws ON inspections (flaws);

-- A package in a version, as a system has it; any number of machines have the same. `key` orders
-- versions of one `scheme` by their bytes.
CREATE TABLE packages (
    number {short_serial},
    digest TEXT NOT NULL UNIQUE,
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT {bytewise} NOT NULL,
    version TEXT NOT NULL,
    architecture TEXT,
    source TEXT,
    scheme TEXT,
    key TEXT
);
CREATE INDEX packages_name ON packages (name, number);

-- A flaw in such a package.
CREATE TABLE flaws (
    number {short_serial},
    digest TEXT NOT NULL UNIQUE,
    stamp BIGINT NOT NULL,
    cve TEXT {bytewise} NOT NULL,
    system TEXT NOT NULL,
    kind TEXT NOT NULL,
    package TEXT NOT NULL,
    version TEXT NOT NULL,
    fixed_version TEXT,
    state TEXT NOT NULL,
    severity BIGINT,
    cvss DOUBLE PRECISION,
    epss DOUBLE PRECISION,
    exploited BIGINT NOT NULL,
    excepted TEXT,
    risk DOUBLE PRECISION NOT NULL
);
CREATE INDEX flaws_cve ON flaws (cve);
CREATE INDEX flaws_package ON flaws (package);

-- Its other names.
CREATE TABLE flaw_names (
    name TEXT NOT NULL,
    flaw {short} NOT NULL,
    PRIMARY KEY (name, flaw)
) {compact};
CREATE INDEX flaw_names_of ON flaw_names (flaw);

-- What machines have, together. A set with a base has what the base has, but for its own items:
-- those above nothing are there too, those below are not (their numbers turned). Of a set without a
-- base `sketch` is what others are compared with it by, and `example` the documents of a machine that
-- has it: those of the others are like them.
CREATE TABLE package_sets (
    number {short_serial},
    namespace TEXT NOT NULL,
    digest TEXT NOT NULL,
    base {short},
    size BIGINT NOT NULL,
    sketch TEXT,
    example BIGINT,
    UNIQUE (namespace, digest)
);
CREATE INDEX package_sets_base ON package_sets (base) WHERE base IS NOT NULL;
CREATE INDEX package_sets_example ON package_sets (example) WHERE example IS NOT NULL;

CREATE TABLE package_items (
    item_set {short} NOT NULL,
    item {short} NOT NULL,
    PRIMARY KEY (item_set, item)
) {compact};
CREATE INDEX package_items_of ON package_items (item, item_set);

CREATE TABLE flaw_sets (
    number {short_serial},
    namespace TEXT NOT NULL,
    digest TEXT NOT NULL,
    base {short},
    size BIGINT NOT NULL,
    sketch TEXT,
    example BIGINT,
    UNIQUE (namespace, digest)
);
CREATE INDEX flaw_sets_base ON flaw_sets (base) WHERE base IS NOT NULL;
CREATE INDEX flaw_sets_example ON flaw_sets (example) WHERE example IS NOT NULL;

CREATE TABLE flaw_items (
    item_set {short} NOT NULL,
    item {short} NOT NULL,
    PRIMARY KEY (item_set, item)
) {compact};
CREATE INDEX flaw_items_of ON flaw_items (item, item_set);

-- How often what nothing hangs on was swept away: what somebody remembers of the tables above is true
-- as long as this stays.
CREATE TABLE sweeps (number BIGINT NOT NULL);
INSERT INTO sweeps (number) VALUES (0);

-- What somebody wants to have decided about a flaw, and what was decided.
CREATE TABLE exceptions (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    version BIGINT NOT NULL,
    standing TEXT NOT NULL,
    flaw TEXT NOT NULL,
    package TEXT,
    machines TEXT,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    until TEXT,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    note TEXT
);
CREATE INDEX exceptions_listed ON exceptions (namespace, standing, number);
