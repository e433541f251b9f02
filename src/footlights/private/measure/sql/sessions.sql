-- sessions. In: accepted, sessions. Out: played(seq, play, looped, watched_ms, reached_ms), and where each session now stands.
-- A session's first event is its one play; a start after its end is another. Between two of its events the viewer
-- watched, where players tell positions: as far as the position moved forward, if it moved no faster than double speed
-- allows (else it was a seek), and no longer than the time between. Where they tell states (flag 8) and no positions:
-- the time between, if the first of the two said that it was playing (flag 16).
-- A loop that nobody tells of shows by the clock: the position fell, and the time that passed is what it takes to play
-- on to the end, and from the start as often as fits. To 1.5 s or a quarter of the video's length, and only between
-- events at most 30 s apart: who was silent for longer may have paused.
-- Events are taken in the order of arrival, and one that tells of a moment before what was told already adds nothing
-- and moves nothing: so no second is counted twice, whatever comes late, again, or in another order.
--
--     state   told by position: 0 under way, 1 at the end      told by the clock: 2 still, 3 playing, 4 at the end
CREATE OR REPLACE TEMP TABLE heard AS
SELECT seq, season, session, pair, at_ms, position_ms, kind, duration_ms,
    CASE
        WHEN flags & 8 = 0 THEN ended
        WHEN ended = 1 THEN 4
        WHEN flags & 16 = 16 THEN 3
        ELSE 2
    END AS state
FROM accepted WHERE kind IN (2, 3, 4) AND session <> 0;

CREATE OR REPLACE TEMP TABLE newest AS
WITH
last AS (
    SELECT session, any_value(season) AS season, any_value(pair) AS pair, arg_max(at_ms, seq) AS at_ms,
        arg_max(position_ms, seq) AS position_ms, arg_max(state, seq) AS state
    FROM sessions
    WHERE season IN (SELECT DISTINCT season FROM heard) AND session IN (SELECT session FROM heard)
    GROUP BY session
),
told AS (
    SELECT -1 AS seq, season, session, pair, at_ms, position_ms, 0 AS kind, 0 AS duration_ms, state FROM last
    UNION ALL SELECT seq, season, session, pair, at_ms, position_ms, kind, duration_ms, state FROM heard
),
-- A player that only loads or waits has not begun: what it says leaves no trace.
begun AS (
    SELECT * FROM told
    QUALIFY bool_or(seq < 0 OR state <> 2) OVER (PARTITION BY session ORDER BY seq ROWS UNBOUNDED PRECEDING)
)
SELECT * FROM begun
QUALIFY at_ms = max(at_ms) OVER (PARTITION BY session ORDER BY seq ROWS UNBOUNDED PRECEDING);

CREATE OR REPLACE TEMP TABLE watched AS
WITH
moved AS (
    SELECT *,
        lag(state) OVER story AS state_before,
        lag(position_ms) OVER story AS position_before,
        at_ms - lag(at_ms) OVER story AS passed_ms,
        position_ms - lag(position_ms) OVER story AS moved_ms
    FROM newest WINDOW story AS (PARTITION BY session ORDER BY seq)
),
-- How often the video began anew since the event before: 0 where that is not what the clock says.
rounds AS (
    SELECT *,
        CASE
            WHEN moved_ms < 0 AND passed_ms <= 30000 AND state_before = 0 AND state = 0 AND duration_ms >= 1000
            THEN (2 * (passed_ms - moved_ms) + duration_ms) // (2 * duration_ms)
            ELSE 0
        END AS round
    FROM moved
),
looped AS (
    SELECT * EXCLUDE (round),
        CASE
            WHEN round > 0 AND abs(passed_ms - moved_ms - round * duration_ms) <= least(1500, duration_ms // 4) THEN round
            ELSE 0
        END AS looped
    FROM rounds
),
counted AS (
    SELECT *,
        CASE
            WHEN state_before IS NULL THEN 1
            WHEN looped > 0 THEN looped
            WHEN kind = 2 AND state_before = 4 AND state = 3 THEN 1
            WHEN kind = 2 AND state_before = 1 AND state < 2 AND position_ms < position_before THEN 1
            ELSE 0
        END AS play,
        CASE
            WHEN state_before = 3 THEN passed_ms
            WHEN state_before >= 2 OR state >= 2 THEN 0
            -- Never less than nothing: whoever says that they stood beyond the end could take back what was counted.
            WHEN looped > 0 THEN greatest(0, least(moved_ms + looped * duration_ms, passed_ms))
            WHEN moved_ms > 0 AND moved_ms <= 2 * passed_ms + 3000 THEN least(moved_ms, passed_ms)
            ELSE 0
        END AS watched_ms
    FROM looped
)
-- Who tells no position is taken to have got as far as they watched. Cut at what a record's position can say.
SELECT seq, season, session, pair, at_ms, state, play, looped, watched_ms,
    CASE WHEN state < 2 THEN position_ms ELSE
        least(2147483647, sum(CASE WHEN seq < 0 THEN position_ms ELSE watched_ms END) OVER so_far)
    END AS reached_ms
FROM counted WINDOW so_far AS (PARTITION BY session ORDER BY seq ROWS UNBOUNDED PRECEDING);

CREATE OR REPLACE TEMP TABLE played AS SELECT seq, play, looped, watched_ms, reached_ms FROM watched WHERE seq >= 0;

INSERT INTO sessions
SELECT any_value(season), session, max(seq), arg_max(at_ms, seq), arg_max(reached_ms, seq), arg_max(state, seq),
    any_value(pair)
FROM watched GROUP BY session HAVING max(seq) >= 0;
