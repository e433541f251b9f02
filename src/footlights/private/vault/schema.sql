-- The private store: one DuckDB file, opened by one process. In: nothing. Out: its tables, empty.
-- No table holds a viewer's id: pair and viewer are pseudonyms of one season.

-- How far the journal has been folded in. Moves in the same transaction as everything that the fold adds.
CREATE TABLE positions (segment VARCHAR, byte_offset BIGINT);
-- The gate's clock: everything due up to `assigned` has its numbers fixed, up to `published` is on the board.
CREATE TABLE clock (assigned_through BIGINT, published_through BIGINT, next_seq BIGINT);
INSERT INTO clock VALUES (NULL, NULL, 0);
CREATE TABLE tallies (name VARCHAR, reason UTINYINT, events BIGINT);

-- What the platform declared: public. ticks_from: ticks up to this moment were over when it was declared.
-- declared_seq: its place in the order of arrival; what arrived before it is of something unknown.
CREATE TABLE creators (
    creator BIGINT, id VARCHAR, name VARCHAR, handle VARCHAR, tier VARCHAR, declared_at BIGINT, ticks_from BIGINT,
    declared_seq BIGINT
);
CREATE TABLE videos (
    video BIGINT, id VARCHAR, creator BIGINT, title VARCHAR, posted_at BIGINT, duration_ms BIGINT,
    hashtags VARCHAR, sound VARCHAR, removed_at BIGINT, ticks_from BIGINT,
    -- The bounds of the policy that it was declared under, and which one that was.
    watch_bound_ms BIGINT, replays_max INTEGER, interests_max INTEGER, interests_known INTEGER, policy INTEGER,
    declared_seq BIGINT
);

-- Messages that were folded, for deduplication: pair xor message, by the event's day. pair: read by erasure alone.
CREATE TABLE seen (day INTEGER, message_key BIGINT, pair BIGINT);
-- How many events of each pair arrived that are no duplicates, by the minute in which they happened: append-only, a
-- minute's count is the sum of its rows. minute_key: pair xor the minute. pair: read by erasure alone.
CREATE TABLE minutes (day INTEGER, minute_key BIGINT, events UINTEGER, pair BIGINT);
-- What has been counted of each (viewer, video): append-only, a pair's state is the sum of its rows.
CREATE TABLE pairs (
    season INTEGER, pair BIGINT, plays UTINYINT, watch_ms INTEGER,
    full_view UTINYINT, share UTINYINT, favorite UTINYINT, follow UTINYINT
);
-- Where each playback session stands: append-only, the last row by seq holds. session: pair xor the session's key.
-- state: sessions.sql names them. pair: read by erasure alone.
CREATE TABLE sessions (
    season INTEGER, session BIGINT, seq BIGINT, at_ms BIGINT, position_ms INTEGER, state UTINYINT, pair BIGINT
);
-- What has been counted of each (viewer, creator): append-only, its state the sum of its rows. bond: viewer xor creator.
CREATE TABLE bonds (season INTEGER, bond BIGINT, profile_views UTINYINT, first_day INTEGER, returned UTINYINT);
CREATE TABLE bond_hours (season INTEGER, bond BIGINT, hour UTINYINT);
-- Disclosed states and traits; the last row by seq holds. on_off: 1 liked or following, -1 taken back.
-- interests: up to four, a byte each.
CREATE TABLE likes (season INTEGER, pair BIGINT, seq BIGINT, on_off TINYINT);
CREATE TABLE follows (season INTEGER, viewer BIGINT, creator BIGINT, seq BIGINT, on_off TINYINT);
CREATE TABLE traits (season INTEGER, viewer BIGINT, seq BIGINT, age UTINYINT, gender UTINYINT, country USMALLINT, interests UINTEGER);

-- Who asked to be erased: from erased_seq on, in the order of arrival, nothing of theirs counts until the season ends,
-- since their state is gone and whatever counted would count a second time.
CREATE TABLE erased_viewers (season INTEGER, viewer BIGINT, erased_seq BIGINT);
-- What viewers asked for. segment: the newest that the journal had then. told: its receipt says what this row says.
-- rows, events: how many went from the store, by table, and from the journal. pseudonyms: season -> 16 bytes in hex.
CREATE TABLE asks (
    number BIGINT, id VARCHAR, what VARCHAR, asked_at BIGINT, segment VARCHAR, pseudonyms VARCHAR,
    store_at BIGINT, rows VARCHAR, journal_at BIGINT, events BIGINT, told BOOLEAN
);
-- Segments of the journal that hold nothing of those who asked to be erased up to a number.
CREATE TABLE combed (segment VARCHAR, number BIGINT);

-- Bounded counts by the tick in which they fall, waiting for it. Exact: they leave through the gate alone.
CREATE TABLE pending (
    video BIGINT, tick INTEGER, reach BIGINT, replays BIGINT, watch BIGINT, full_views BIGINT,
    shares BIGINT, favorites BIGINT, followers BIGINT, likes BIGINT, comments BIGINT
);
-- Of a video (season 0) or of a creator's season, by the schedule of terms/ticks.py.
-- extra: 1 for what a viewer's second interest and further ones add to the tables with that axis.
CREATE TABLE pending_cells (
    schedule UTINYINT, subject BIGINT, season INTEGER, tick INTEGER,
    age UTINYINT, gender UTINYINT, country USMALLINT, type UTINYINT, interest UTINYINT, extra UTINYINT, viewers BIGINT
);
-- histogram: its number in terms/families.py; bin: the cell in it.
CREATE TABLE pending_bins (
    schedule UTINYINT, subject BIGINT, season INTEGER, tick INTEGER, histogram UTINYINT, bin USMALLINT, viewers BIGINT
);
-- How far and how long each pair has watched that is counted at a milestone to come; append-only until then.
CREATE TABLE waiting (season INTEGER, pair BIGINT, video BIGINT, milestone INTEGER, position UTINYINT, watch_ms INTEGER);
-- The same once their tick is fixed, by the stream's step: the encoder's memory, at most a row a bin when gathered.
CREATE TABLE increments (
    video BIGINT, step INTEGER, reach BIGINT, replays BIGINT, watch BIGINT, full_views BIGINT,
    shares BIGINT, favorites BIGINT, followers BIGINT, likes BIGINT, comments BIGINT
);
CREATE TABLE cells (
    schedule UTINYINT, subject BIGINT, season INTEGER, step INTEGER,
    age UTINYINT, gender UTINYINT, country USMALLINT, type UTINYINT, interest UTINYINT, extra UTINYINT, viewers BIGINT
);
CREATE TABLE bins (
    schedule UTINYINT, subject BIGINT, season INTEGER, step INTEGER, histogram UTINYINT, bin USMALLINT, viewers BIGINT
);
-- Followers of a creator by the hour, disclosed.
CREATE TABLE follower_changes (creator BIGINT, hour INTEGER, change BIGINT);
