-- The live board: figures of live sessions and what paid for them. Append-only by trigger; a file of its own beside
-- board.db, since it is written every two seconds and must not wait for a minute's figures, nor they for it.
--
--   plans ◀── spends ◀── figures          lives ◀── questions
--
-- A figure without a spend cannot be stored. One spend buys one stream of one family: each of its ticks once.

CREATE TABLE facts (                   -- of the log, which is in log.sql
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
    plan INTEGER PRIMARY KEY,
    family TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    detail TEXT NOT NULL               -- JSON: budgets, noise; see docs/reference/board.md
) STRICT;

CREATE TABLE lives (
    live INTEGER PRIMARY KEY,          -- 64-bit key of the id
    id TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,             -- the creator's id
    title TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    begin_at INTEGER NOT NULL,         -- where its ticks count from: an even second
    first_tick INTEGER NOT NULL,       -- its step 0
    silent_seconds INTEGER NOT NULL,
    last_tick INTEGER                  -- once it is over
) STRICT;
CREATE INDEX lives_of_creator ON lives (creator, started_at DESC, id);

CREATE TABLE questions (
    live INTEGER NOT NULL REFERENCES lives,
    number INTEGER NOT NULL,           -- 1, 2, ... within the session: the tick of its result
    id TEXT NOT NULL,
    text TEXT NOT NULL,
    options TEXT NOT NULL,             -- JSON list
    asked_tick INTEGER NOT NULL,
    closed_tick INTEGER,
    PRIMARY KEY (live, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE spends (
    spend INTEGER PRIMARY KEY,
    live INTEGER NOT NULL REFERENCES lives,
    family TEXT NOT NULL,              -- live, live_audience, live_questions
    plan INTEGER NOT NULL REFERENCES plans,
    rho TEXT NOT NULL,                 -- exact fraction: what the stream costs one unit
    UNIQUE (live, family)
) STRICT;

CREATE TABLE figures (
    spend INTEGER NOT NULL,
    tick INTEGER NOT NULL,             -- of live: 2 s; of live_audience: a minute; of live_questions: a question's number
    row BLOB NOT NULL,                 -- published y, decoded estimates, exact counts: rows.py
    PRIMARY KEY (spend, tick)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER figure_needs_spend BEFORE INSERT ON figures
WHEN NOT EXISTS (SELECT 1 FROM spends WHERE spend = NEW.spend)
BEGIN SELECT RAISE(ABORT, 'a figure without a spend cannot be stored'); END;

CREATE TRIGGER figures_keep BEFORE UPDATE ON figures BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER figures_stay BEFORE DELETE ON figures BEGIN SELECT RAISE(ABORT, 'figures are append-only'); END;
CREATE TRIGGER spends_keep BEFORE UPDATE ON spends BEGIN SELECT RAISE(ABORT, 'spends are append-only'); END;
CREATE TRIGGER spends_stay BEFORE DELETE ON spends BEGIN SELECT RAISE(ABORT, 'spends are append-only'); END;
CREATE TRIGGER plans_keep BEFORE UPDATE ON plans BEGIN SELECT RAISE(ABORT, 'plans are append-only'); END;
CREATE TRIGGER plans_stay BEFORE DELETE ON plans BEGIN SELECT RAISE(ABORT, 'plans are append-only'); END;
CREATE TRIGGER lives_keep BEFORE UPDATE OF id, creator, started_at, begin_at, first_tick ON lives
BEGIN SELECT RAISE(ABORT, 'a live session keeps its creator and time'); END;
CREATE TRIGGER lives_end_once BEFORE UPDATE OF last_tick ON lives
WHEN OLD.last_tick IS NOT NULL AND NEW.last_tick IS NOT OLD.last_tick
BEGIN SELECT RAISE(ABORT, 'a live session ends once'); END;
