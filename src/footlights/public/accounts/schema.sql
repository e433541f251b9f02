-- Accounts. Who may look at figures, how they prove it, and where a creator's weekly letter goes. Holds no figure and
-- no viewer; an address is a creator's, given by their platform, and goes when they stop the letters.
-- A secret that is only ever compared is kept as its SHA-256 or Argon2id; one that we compute with (a TOTP secret, a
-- platform's signing key) as it is, which is why the file is its owner's alone (0600).

CREATE TABLE IF NOT EXISTS readers (
    reader INTEGER PRIMARY KEY,
    creator TEXT NOT NULL,              -- the board's id
    label TEXT NOT NULL,                -- what the creator calls them; never an address
    invited_at INTEGER NOT NULL,
    UNIQUE (creator, label)
) STRICT;

CREATE TABLE IF NOT EXISTS links (
    digest TEXT PRIMARY KEY,
    creator TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    reader INTEGER REFERENCES readers ON DELETE CASCADE     -- null: the creator's own
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY,
    creator TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    reader INTEGER REFERENCES readers ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS operators (
    operator INTEGER PRIMARY KEY AUTOINCREMENT,             -- never used again: a passkey names it for ever
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,                                 -- Argon2id, PHC text
    totp_secret BLOB NOT NULL CHECK (length(totp_secret) = 20),
    totp_step INTEGER NOT NULL DEFAULT 0,                   -- the last one used: a code works once
    made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS recovery_codes (
    operator INTEGER NOT NULL REFERENCES operators ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (operator, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS passkeys (
    id BLOB PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators ON DELETE CASCADE,
    label TEXT NOT NULL,
    credential BLOB NOT NULL,                               -- AttestedCredentialData: id and public key
    sign_count INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS operator_sessions (
    digest TEXT PRIMARY KEY,
    operator INTEGER NOT NULL REFERENCES operators ON DELETE CASCADE,
    began_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Wrong answers in a window. who: a slot of 4,096 that a name falls into, or -1 for all; no name is kept.
CREATE TABLE IF NOT EXISTS attempts (
    who INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS signing_keys (
    kid TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Ids of tokens that signed somebody in, until they would be too old anyway.
CREATE TABLE IF NOT EXISTS used_tokens (
    digest TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS contacts (
    creator TEXT PRIMARY KEY,
    address TEXT,
    stopped_at INTEGER,
    CHECK ((address IS NULL) = (stopped_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS letters (
    creator TEXT NOT NULL,
    period TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    PRIMARY KEY (creator, period)
) STRICT, WITHOUT ROWID;

-- What signs the link that stops letters.
CREATE TABLE IF NOT EXISTS contact_keys (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), key BLOB NOT NULL) STRICT;

-- The language of a creator's letters.
CREATE TABLE IF NOT EXISTS preferences (creator TEXT PRIMARY KEY, language TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Where a creator or an app is told of things by HTTP. The secret is kept as it is, since we sign with it.
CREATE TABLE IF NOT EXISTS webhook_endpoints (
    endpoint INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,                                    -- creator:ID or app:ID
    url TEXT NOT NULL,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    made_at INTEGER NOT NULL,
    failing_since INTEGER,                                  -- null: the last message was taken
    taken_at INTEGER,
    tried_at INTEGER,
    outcome TEXT NOT NULL DEFAULT '',                       -- of the last try: a status such as 200, or a word
    stopped_at INTEGER                                      -- nothing is sent until its owner starts it again
) STRICT;

CREATE TABLE IF NOT EXISTS webhook_messages (
    message TEXT PRIMARY KEY,
    endpoint INTEGER NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    body BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'taken', 'dead'))
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS webhook_due ON webhook_messages (next_at) WHERE state = 'waiting';

-- A secret that was replaced signs beside the new one until then, so that its owner's program can change over.
CREATE TABLE IF NOT EXISTS webhook_old_secrets (
    endpoint INTEGER NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    until INTEGER NOT NULL,
    PRIMARY KEY (endpoint, secret)
) STRICT, WITHOUT ROWID;

-- What a creator wants to be told of, and since when; and what they were told by mail.
CREATE TABLE IF NOT EXISTS alert_choices (
    creator TEXT PRIMARY KEY,
    videos INTEGER NOT NULL,
    weeks INTEGER NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS alerts_told (
    creator TEXT NOT NULL,
    alert TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (creator, alert)
) STRICT, WITHOUT ROWID;

-- What signs exports: Ed25519 secrets. The newest signs; the public halves of all are published.
CREATE TABLE IF NOT EXISTS export_keys (
    kid TEXT PRIMARY KEY,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Figures that a creator shows to whoever has the link, as they were when it was made, with what proves them.
CREATE TABLE IF NOT EXISTS shares (
    share INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,              -- the board's id
    title TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    evidence BLOB NOT NULL              -- JSON, zstd
) STRICT;
CREATE INDEX IF NOT EXISTS shares_of_creator ON shares (creator, made_at);
