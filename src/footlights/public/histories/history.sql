-- A history: what other platforms state of one creator, read from exports that the creator brought. No figure of
-- Footlights is in it, no gate wrote it, and no page of published figures reads it. Another file than the board, another
-- schema, and another application_id, so that neither can be opened as the other.

CREATE TABLE files (
    file INTEGER PRIMARY KEY,          -- in the order in which they count: a later one is shown
    digest TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('TikTok', 'YouTube')),
    read_at INTEGER NOT NULL,
    report TEXT NOT NULL               -- JSON: found.FileReport
) STRICT;

CREATE TABLE videos (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    link TEXT NOT NULL,
    posted_at INTEGER,                 -- NULL where no file tells
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE numbers (
    source TEXT NOT NULL,
    subject TEXT NOT NULL,             -- a video's id; '' of the channel
    metric TEXT NOT NULL,
    axis TEXT NOT NULL,                -- '' of a whole
    cell TEXT NOT NULL,
    since INTEGER NOT NULL,            -- 0: all time before
    until INTEGER NOT NULL,
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    value INTEGER NOT NULL,            -- in the measure's kept unit: measures.py
    PRIMARY KEY (source, subject, metric, axis, cell, until, since, file)
) STRICT, WITHOUT ROWID;
