-- The log: what proves the figures. A leaf for every minute since 1970; a minute's leaf stands for a tree of its rows.
-- Minutes in which nothing was published are not stored: their hashes, and those of trees of them, are known.

CREATE TABLE IF NOT EXISTS minutes (
    minute INTEGER PRIMARY KEY,        -- ends at 60 x minute seconds after 1970
    rows INTEGER NOT NULL,
    bits INTEGER NOT NULL,             -- its rows lie in 2^bits parts
    top BLOB NOT NULL,                 -- hashes of its tree's upper nodes, the root first: minutes.py
    policies BLOB NOT NULL             -- hash of the policies that were decided by then
) STRICT;

CREATE TABLE IF NOT EXISTS parts (
    minute INTEGER NOT NULL,
    part INTEGER NOT NULL,             -- the first bits of its rows' places
    rows BLOB NOT NULL,                -- place and leaf hash of each, 16 and 32 bytes, by place
    PRIMARY KEY (minute, part)
) STRICT, WITHOUT ROWID;

-- Complete subtrees of the log that hold a minute in which something was published.
CREATE TABLE IF NOT EXISTS nodes (
    level INTEGER NOT NULL,
    node INTEGER NOT NULL,             -- covers the minutes from node x 2^level on
    hash BLOB NOT NULL,
    PRIMARY KEY (level, node)
) STRICT, WITHOUT ROWID;

-- Rows of minutes that are not over yet.
CREATE TABLE IF NOT EXISTS unsealed (
    minute INTEGER NOT NULL,
    place BLOB NOT NULL,
    leaf BLOB NOT NULL,
    PRIMARY KEY (minute, place)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS minutes_keep BEFORE UPDATE ON minutes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS minutes_stay BEFORE DELETE ON minutes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS parts_keep BEFORE UPDATE ON parts
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS parts_stay BEFORE DELETE ON parts
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS nodes_keep BEFORE UPDATE ON nodes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS nodes_stay BEFORE DELETE ON nodes
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
