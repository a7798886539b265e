-- Who may log in: of a password only a slow hash is kept.
CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    role TEXT NOT NULL,
    namespaces TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    login_at BIGINT,
    disabled_at BIGINT
);

-- What somebody got by logging in is a token that is theirs.
ALTER TABLE tokens ADD COLUMN owner TEXT;
CREATE INDEX tokens_owned ON tokens (owner) WHERE owner IS NOT NULL;
