-- sessions. In: accepted, sessions. Out: played(seq, play, watched_ms), and where each session now stands.
-- A session's first event is its one play. Between two of its events the viewer watched as far as the position moved
-- forward, if it moved no faster than double speed allows (else it was a seek), and no longer than the time between.
-- Events are taken in the order of arrival, and one that tells of a moment before what was told already adds nothing
-- and moves nothing: so no second is counted twice, whatever comes late, again, or in another order.
CREATE OR REPLACE TEMP TABLE heard AS
SELECT seq, season, session, at_ms, position_ms FROM accepted WHERE kind IN (2, 3, 4) AND session <> 0;

CREATE OR REPLACE TEMP TABLE told_of AS
WITH
last AS (
    SELECT session, any_value(season) AS season, arg_max(at_ms, seq) AS at_ms, arg_max(position_ms, seq) AS position_ms
    FROM sessions
    WHERE season IN (SELECT DISTINCT season FROM heard) AND session IN (SELECT session FROM heard)
    GROUP BY session
),
told AS (
    SELECT -1 AS seq, season, session, at_ms, position_ms FROM last
    UNION ALL SELECT seq, season, session, at_ms, position_ms FROM heard
),
dated AS (
    SELECT *, max(at_ms) OVER (PARTITION BY session ORDER BY seq ROWS UNBOUNDED PRECEDING) AS newest_ms FROM told
)
SELECT * FROM dated WHERE at_ms = newest_ms;

CREATE OR REPLACE TEMP TABLE played AS
WITH moved AS (
    SELECT seq,
        at_ms - lag(at_ms) OVER story AS passed_ms,
        position_ms - lag(position_ms) OVER story AS moved_ms
    FROM told_of WINDOW story AS (PARTITION BY session ORDER BY seq)
)
SELECT seq,
    CASE WHEN passed_ms IS NULL THEN 1 ELSE 0 END AS play,
    CASE WHEN moved_ms > 0 AND moved_ms <= 2 * passed_ms + 3000 THEN least(moved_ms, passed_ms) ELSE 0 END
        AS watched_ms
FROM moved WHERE seq >= 0;

INSERT INTO sessions
SELECT any_value(season), session, max(seq), arg_max(at_ms, seq), arg_max(position_ms, seq)
FROM told_of GROUP BY session HAVING max(seq) >= 0;

DROP TABLE told_of;
