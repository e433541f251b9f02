-- The live store: one SQLite file, opened by one process. What is known of live sessions while they are live.
-- No table holds a viewer's id: pair is a pseudonym of one season. When a session is over, all but its row in rooms goes.

-- How far the journal has been read. Moves in the same transaction as everything that was heard.
CREATE TABLE positions (segment TEXT PRIMARY KEY, byte_offset INTEGER NOT NULL) STRICT;
CREATE TABLE clock (next_seq INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (0);

-- What the platform declared: public. first_tick: of the session's step 0. fixed_tick: up to it the numbers are fixed.
-- last_tick: the one at which it ended. over: all of it is on the board. declared_seq: its place in the order of arrival.
CREATE TABLE rooms (
    live INTEGER PRIMARY KEY, id TEXT NOT NULL, creator TEXT NOT NULL, title TEXT NOT NULL,
    started_at INTEGER NOT NULL, begin_at INTEGER NOT NULL, silent_seconds INTEGER NOT NULL, policy INTEGER NOT NULL,
    first_tick INTEGER NOT NULL, fixed_tick INTEGER NOT NULL, last_tick INTEGER NOT NULL, over INTEGER NOT NULL,
    declared_seq INTEGER NOT NULL
) STRICT;
-- number: 1, 2, ... within the session. closed_tick: at which its result is published; NULL while it is open.
CREATE TABLE questions (
    live INTEGER NOT NULL, number INTEGER NOT NULL, question INTEGER NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL,
    options TEXT NOT NULL, asked_tick INTEGER NOT NULL, closed_tick INTEGER,
    PRIMARY KEY (live, number)
) STRICT;

-- Events that were heard and wait for their tick, which is decided once. choice, question: of reactions and answers.
CREATE TABLE heard (
    live INTEGER NOT NULL, tick INTEGER NOT NULL, at_ms INTEGER NOT NULL, seq INTEGER NOT NULL, pair INTEGER NOT NULL,
    kind INTEGER NOT NULL, choice INTEGER NOT NULL, question INTEGER NOT NULL,
    country INTEGER NOT NULL, source INTEGER NOT NULL, follower INTEGER NOT NULL,
    PRIMARY KEY (live, tick, at_ms, seq)
) STRICT, WITHOUT ROWID;
-- Messages that were heard, for deduplication: pair xor message.
CREATE TABLE seen (live INTEGER NOT NULL, message_key INTEGER NOT NULL, PRIMARY KEY (live, message_key))
STRICT, WITHOUT ROWID;

-- Who asked to be erased: a pseudonym of a season, as a bar until its key goes.
CREATE TABLE erased (season INTEGER NOT NULL, viewer INTEGER NOT NULL, PRIMARY KEY (season, viewer))
STRICT, WITHOUT ROWID;

-- What has been counted of each (viewer, session), and whether they are in the room. state: JSON of a Person (presence.py).
CREATE TABLE people (
    live INTEGER NOT NULL, pair INTEGER NOT NULL, here INTEGER NOT NULL, heard_tick INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (live, pair)
) STRICT, WITHOUT ROWID;
CREATE INDEX silent ON people (live, heard_tick) WHERE here = 1;

-- What each tick adds, once it is fixed: private numbers, then disclosed ones, 8 bytes each. Exact: it leaves through the
-- gate alone. Ticks that add nothing have no row.
CREATE TABLE increments (live INTEGER NOT NULL, tick INTEGER NOT NULL, row BLOB NOT NULL, PRIMARY KEY (live, tick))
STRICT, WITHOUT ROWID;
-- Who came for the first time in a minute, by cell: places in the row of a minute's audience.
CREATE TABLE cells (
    live INTEGER NOT NULL, minute INTEGER NOT NULL, cell INTEGER NOT NULL, viewers INTEGER NOT NULL,
    PRIMARY KEY (live, minute, cell)
) STRICT, WITHOUT ROWID;
CREATE TABLE answers (
    live INTEGER NOT NULL, number INTEGER NOT NULL, choice INTEGER NOT NULL, viewers INTEGER NOT NULL,
    PRIMARY KEY (live, number, choice)
) STRICT, WITHOUT ROWID;
