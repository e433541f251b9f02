-- Apps. What creators let other programs read. Every token, code and link is kept as its SHA-256; no figure, no viewer.

CREATE TABLE IF NOT EXISTS apps (
    app INTEGER PRIMARY KEY AUTOINCREMENT,                  -- never used again
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    maker TEXT NOT NULL,                                    -- who answers for it, as creators are told
    site TEXT NOT NULL,
    purpose TEXT NOT NULL,
    scopes TEXT NOT NULL,                                   -- words with spaces between
    redirect_uris TEXT NOT NULL,                            -- one a line
    public INTEGER NOT NULL CHECK (public IN (0, 1)),       -- 1: runs where anybody can read it, so it has no secret
    bound INTEGER NOT NULL CHECK (bound IN (0, 1)),         -- 1: its tokens work with its key alone (DPoP)
    secret TEXT,
    state TEXT NOT NULL CHECK (state IN ('draft', 'sandbox', 'review', 'approved', 'suspended', 'banned')),
    reason TEXT NOT NULL DEFAULT '',                        -- of the last change of state, for developer and creators
    made_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CHECK (public = 0 OR (secret IS NULL AND bound = 1))
) STRICT;

-- Creators of the simulated platform, as whom a developer may try the app.
CREATE TABLE IF NOT EXISTS app_testers (
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    creator TEXT NOT NULL,
    PRIMARY KEY (app, creator)
) STRICT, WITHOUT ROWID;

-- How a developer reaches their app's page: a link works once, and then the browser has a session.
CREATE TABLE IF NOT EXISTS app_links (
    digest TEXT PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS app_sessions (
    digest TEXT PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a creator agreed to. sandbox: 1 is a creator of the simulated platform, who is nobody.
CREATE TABLE IF NOT EXISTS app_grants (
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    creator TEXT NOT NULL,
    sandbox INTEGER NOT NULL CHECK (sandbox IN (0, 1)),
    scopes TEXT NOT NULL,
    agreed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (app, creator, sandbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS app_grants_of ON app_grants (creator);

-- All tokens that descend from one code: they end together.
CREATE TABLE IF NOT EXISTS app_families (
    family INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL,
    creator TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (app, creator, sandbox) REFERENCES app_grants ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS app_families_of ON app_families (app, creator, sandbox);

CREATE TABLE IF NOT EXISTS app_codes (
    digest TEXT PRIMARY KEY,
    app INTEGER NOT NULL,
    creator TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,                                -- S256 of PKCE
    key_print TEXT,                                         -- of the DPoP key that alone may use it
    expires_at INTEGER NOT NULL,
    family INTEGER REFERENCES app_families ON DELETE CASCADE, -- what it was exchanged for
    FOREIGN KEY (app, creator, sandbox) REFERENCES app_grants ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS app_tokens (
    digest TEXT PRIMARY KEY,
    family INTEGER NOT NULL REFERENCES app_families ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
    scopes TEXT NOT NULL,
    key_print TEXT,                                         -- null: whoever holds it may use it
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1))  -- of a refresh token: a second use ends the family
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS app_tokens_of ON app_tokens (family);
CREATE INDEX IF NOT EXISTS app_tokens_until ON app_tokens (expires_at);

-- Authorization requests that apps left beforehand (RFC 9126).
CREATE TABLE IF NOT EXISTS app_requests (
    digest TEXT PRIMARY KEY,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    query TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Proofs of DPoP that have been used (RFC 9449, section 11.1), until they would be too old.
CREATE TABLE IF NOT EXISTS app_proofs (
    digest TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS app_proofs_until ON app_proofs (expires_at);

-- What nonces of DPoP are made with.
CREATE TABLE IF NOT EXISTS app_keys (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), key BLOB NOT NULL) STRICT;

-- Every read, for the creator to see. Reads of one route between two ticks are one row: they got the same figures.
CREATE TABLE IF NOT EXISTS app_reads (
    creator TEXT NOT NULL,
    sandbox INTEGER NOT NULL,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    route TEXT NOT NULL,
    through INTEGER NOT NULL,                               -- the tick: figures were published through this moment
    reads INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (creator, sandbox, app, route, through)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS app_reads_at ON app_reads (last_at);

-- What happened to an app that a creator had let in, until they have read it.
CREATE TABLE IF NOT EXISTS app_notices (
    notice INTEGER PRIMARY KEY AUTOINCREMENT,
    creator TEXT NOT NULL,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS app_notices_of ON app_notices (creator);

-- What an app is told by webhook. Up to which moment it was told what was published.
CREATE TABLE IF NOT EXISTS app_told (
    app INTEGER PRIMARY KEY REFERENCES apps ON DELETE CASCADE,
    through INTEGER NOT NULL
) STRICT;

-- Whose channel each message is about: what waits ends with the creator's consent, as tokens do.
CREATE TABLE IF NOT EXISTS app_messages (
    message TEXT PRIMARY KEY REFERENCES webhook_messages ON DELETE CASCADE,
    app INTEGER NOT NULL,
    creator TEXT NOT NULL,
    type TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS app_messages_of ON app_messages (app, creator);

-- An app that was stopped, until it is told; and the creators who had let it in, until they are written to.
CREATE TABLE IF NOT EXISTS app_stops (
    stop INTEGER PRIMARY KEY AUTOINCREMENT,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS app_letters (
    letter INTEGER PRIMARY KEY AUTOINCREMENT,
    creator TEXT NOT NULL,
    app INTEGER NOT NULL REFERENCES apps ON DELETE CASCADE,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- These hold whoever ends or narrows a consent, and however it comes to that.
CREATE TRIGGER IF NOT EXISTS app_grant_ended AFTER DELETE ON app_grants WHEN OLD.sandbox = 0 BEGIN
    DELETE FROM webhook_messages WHERE state <> 'taken'
    AND message IN (SELECT message FROM app_messages WHERE app = OLD.app AND creator = OLD.creator);
END;
CREATE TRIGGER IF NOT EXISTS app_grant_changed AFTER UPDATE OF scopes ON app_grants
WHEN OLD.sandbox = 0 AND OLD.scopes <> NEW.scopes BEGIN
    DELETE FROM webhook_messages WHERE state <> 'taken'
    AND message IN (SELECT message FROM app_messages WHERE app = OLD.app AND creator = OLD.creator);
END;
-- Of an app that is stopped nothing is sent but that it was: see app_stops.
CREATE TRIGGER IF NOT EXISTS app_stopped AFTER UPDATE OF state ON apps
WHEN OLD.state = 'approved' AND NEW.state <> 'approved' BEGIN
    DELETE FROM webhook_messages WHERE state <> 'taken'
    AND endpoint IN (SELECT endpoint FROM webhook_endpoints WHERE owner = 'app:' || OLD.client_id);
    DELETE FROM app_told WHERE app = OLD.app;
END;
CREATE TRIGGER IF NOT EXISTS app_removed AFTER DELETE ON apps BEGIN
    DELETE FROM webhook_endpoints WHERE owner = 'app:' || OLD.client_id;
END;
