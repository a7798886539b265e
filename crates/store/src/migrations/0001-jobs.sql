-- Who works, as they describe themselves.
CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    version TEXT NOT NULL,
    document TEXT NOT NULL,
    state TEXT NOT NULL,
    current_jobs BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL
);

-- What jobs ask of who does them. Many jobs ask the same.
CREATE TABLE requirements (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL
);

-- States: 0 pending, 1 queued, 2 assigned, 3 running, 4 completed, 5 failed, 6 cancelled, 7 timeout,
-- 8 dead.
CREATE TABLE jobs (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    operation TEXT NOT NULL,
    pool TEXT NOT NULL,
    state BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    requirement BIGINT NOT NULL REFERENCES requirements (number),
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    envelope TEXT NOT NULL,
    submitted_by TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    deliveries BIGINT NOT NULL,
    timeout BIGINT NOT NULL,
    deadline BIGINT,
    available_at BIGINT NOT NULL,
    announced_at BIGINT NOT NULL,
    cancellable BIGINT NOT NULL,
    cancel BIGINT NOT NULL,
    worker TEXT,
    fence BIGINT NOT NULL,
    lease_until BIGINT,
    submitted_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    error_code TEXT,
    error_message TEXT
);
CREATE UNIQUE INDEX jobs_idempotency ON jobs (namespace, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_ready ON jobs (priority DESC, number) WHERE state = 1;
CREATE INDEX jobs_waiting ON jobs (available_at) WHERE state = 0;
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state IN (2, 3);
CREATE INDEX jobs_deadline ON jobs (deadline) WHERE state IN (0, 1) AND deadline IS NOT NULL;
CREATE INDEX jobs_listed ON jobs (namespace, number);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- What came of them: short ones as text, long ones packed.
CREATE TABLE results (
    job TEXT PRIMARY KEY,
    document TEXT,
    packed {blob}
);

-- How far they have come.
CREATE TABLE events (
    job TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job, sequence)
);

-- Tries that came to nothing.
CREATE TABLE attempts (
    job TEXT NOT NULL,
    delivery BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    worker TEXT,
    ended_at BIGINT NOT NULL,
    error_code TEXT NOT NULL,
    error_message TEXT NOT NULL,
    PRIMARY KEY (job, delivery)
);

-- What came in and was no job.
CREATE TABLE letters (
    number {serial},
    source TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    body {blob} NOT NULL
);
