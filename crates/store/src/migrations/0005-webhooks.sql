-- Who is told about what has happened, as the settings last said.
CREATE TABLE webhooks (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    events TEXT NOT NULL,
    namespaces TEXT NOT NULL
);

-- What they are told. States: 0 waiting, 1 delivered, 2 dead.
CREATE TABLE deliveries (
    number {serial},
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    event TEXT NOT NULL,
    namespace TEXT NOT NULL,
    data TEXT NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ended_at BIGINT,
    status BIGINT,
    error TEXT
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 0;
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE state <> 0;
CREATE INDEX deliveries_of ON deliveries (webhook, number);
