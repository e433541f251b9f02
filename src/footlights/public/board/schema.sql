-- The board: figures and what paid for them. Append-only by trigger; read by the public side, written by gate/publish.
--
--   policies    plans ◀── spends ◀── figures          creators ◀── videos
--
-- A figure without a spend cannot be stored. One spend buys one stream of one family: each of its ticks once.

CREATE TABLE facts (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE policies (
    policy INTEGER PRIMARY KEY,        -- 1, 2, ... in the order in which they were decided
    from_season INTEGER NOT NULL,      -- year x 12 + month - 1; 0 for the first
    text TEXT NOT NULL                 -- policy.toml
) STRICT;

CREATE TABLE plans (
    plan INTEGER PRIMARY KEY,
    family TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    detail TEXT NOT NULL               -- JSON: bounds, budgets, noise; see docs/reference/board.md
) STRICT;

CREATE TABLE creators (
    creator INTEGER PRIMARY KEY,       -- 64-bit key of the id
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    handle TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('basic', 'pro')),
    declared_at INTEGER NOT NULL
) STRICT;

CREATE TABLE videos (
    video INTEGER PRIMARY KEY,         -- 64-bit key of the id
    id TEXT NOT NULL UNIQUE,
    creator INTEGER NOT NULL REFERENCES creators,
    title TEXT NOT NULL,
    posted_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    hashtags TEXT NOT NULL,            -- JSON list
    sound TEXT NOT NULL,
    removed_at INTEGER
) STRICT;
CREATE INDEX videos_of_creator ON videos (creator, posted_at DESC, id);

CREATE TABLE spends (
    spend INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL,          -- a video's or a creator's key
    season INTEGER NOT NULL,           -- of a channel's stream; 0 of one that outlives seasons
    family TEXT NOT NULL,
    plan INTEGER NOT NULL REFERENCES plans,
    rho TEXT NOT NULL,                 -- exact fraction: what the stream costs one unit
    first_tick INTEGER NOT NULL,       -- the stream's step 0
    UNIQUE (subject, family, season)
) STRICT;

CREATE TABLE figures (
    spend INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    row BLOB NOT NULL,                 -- published y, decoded estimates, exact counts: rows.py
    PRIMARY KEY (spend, tick)
) STRICT, WITHOUT ROWID;

-- What the decoder remembers of a stream after a tick; it follows from y alone and saves reading all of them again.
CREATE TABLE anchors (
    spend INTEGER NOT NULL,
    tick INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (spend, tick)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER figure_needs_spend BEFORE INSERT ON figures
WHEN NOT EXISTS (SELECT 1 FROM spends WHERE spend = NEW.spend)
BEGIN SELECT RAISE(ABORT, 'a figure without a spend cannot be stored'); END;

CREATE TRIGGER figures_keep BEFORE UPDATE ON figures BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER figures_stay BEFORE DELETE ON figures BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER anchors_keep BEFORE UPDATE ON anchors BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;
CREATE TRIGGER anchors_stay BEFORE DELETE ON anchors BEGIN SELECT RAISE(ABORT, 'anchors are append-only'); END;
CREATE TRIGGER spends_keep BEFORE UPDATE ON spends BEGIN SELECT RAISE(ABORT, 'spends are append-only'); END;
CREATE TRIGGER spends_stay BEFORE DELETE ON spends BEGIN SELECT RAISE(ABORT, 'spends are append-only'); END;
CREATE TRIGGER policies_keep BEFORE UPDATE ON policies BEGIN SELECT RAISE(ABORT, 'policies are append-only'); END;
CREATE TRIGGER policies_stay BEFORE DELETE ON policies BEGIN SELECT RAISE(ABORT, 'policies are append-only'); END;
CREATE TRIGGER plans_keep BEFORE UPDATE ON plans BEGIN SELECT RAISE(ABORT, 'plans are append-only'); END;
CREATE TRIGGER plans_stay BEFORE DELETE ON plans BEGIN SELECT RAISE(ABORT, 'plans are append-only'); END;
CREATE TRIGGER videos_keep BEFORE UPDATE OF id, creator, posted_at, duration_ms ON videos
BEGIN SELECT RAISE(ABORT, 'a video keeps its creator, time and length'); END;
