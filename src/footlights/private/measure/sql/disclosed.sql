-- disclosed. In: acts, accepted, likes, follows, clock. Out: told(video, tick, likes, comments), and follower_changes.
-- A like counts while it stands; a second like of the same viewer changes nothing. Taking back what was given in an
-- earlier season (a new pseudonym: no row here) counts when the video or the creator is older than the season.
CREATE OR REPLACE TEMP TABLE told AS
WITH
said AS (
    SELECT seq, season, pair, video, tick, posted_at, CASE kind WHEN 6 THEN 1 ELSE -1 END AS on_off
    FROM acts WHERE kind IN (6, 7)
),
before AS (
    SELECT pair, arg_max(on_off, seq) AS on_off FROM likes SEMI JOIN said USING (pair) GROUP BY pair
),
changes AS (
    SELECT said.*,
        coalesce(lag(said.on_off) OVER (PARTITION BY said.pair ORDER BY said.seq), before.on_off) AS was
    FROM said LEFT JOIN before ON said.pair = before.pair
),
liked AS (
    SELECT video, tick,
        CASE
            WHEN on_off = 1 THEN CASE WHEN was = 1 THEN 0 ELSE 1 END
            WHEN was = 1 THEN -1
            WHEN was IS NULL AND posted_at < epoch(make_timestamp(season // 12, season % 12 + 1, 1, 0, 0, 0)) THEN -1
            ELSE 0
        END AS likes
    FROM changes
)
SELECT video, tick, sum(likes) AS likes, sum(comments) AS comments
FROM (
    SELECT video, tick, likes, 0 AS comments FROM liked
    UNION ALL SELECT video, tick, 0, 1 FROM acts WHERE kind = 8
)
GROUP BY video, tick;

INSERT INTO likes
SELECT any_value(season), pair, max(seq), arg_max(CASE kind WHEN 6 THEN 1 ELSE -1 END, seq)
FROM acts WHERE kind IN (6, 7) GROUP BY pair;

INSERT INTO follower_changes
WITH
said AS (
    SELECT seq, season, viewer, accepted.creator, declared_at,
        greatest((at_ms + 3599999) // 3600000, (SELECT coalesce(published_through // 3600, 0) + 1 FROM clock)) AS hour,
        CASE kind WHEN 12 THEN 1 ELSE -1 END AS on_off
    FROM accepted JOIN creators ON accepted.creator = creators.creator
    WHERE kind IN (12, 13)
),
before AS (
    SELECT season, viewer, creator, arg_max(on_off, seq) AS on_off
    FROM follows SEMI JOIN said USING (season, viewer, creator) GROUP BY season, viewer, creator
),
changes AS (
    SELECT said.*,
        coalesce(lag(said.on_off) OVER (PARTITION BY said.viewer, said.creator ORDER BY said.seq), before.on_off) AS was
    FROM said LEFT JOIN before USING (season, viewer, creator)
),
net AS (
    SELECT creator, hour,
        CASE
            WHEN on_off = 1 THEN CASE WHEN was = 1 THEN 0 ELSE 1 END
            WHEN was = 1 THEN -1
            WHEN was IS NULL AND declared_at < epoch(make_timestamp(season // 12, season % 12 + 1, 1, 0, 0, 0)) THEN -1
            ELSE 0
        END AS change
    FROM changes
)
SELECT creator, hour, sum(change) FROM net GROUP BY creator, hour HAVING sum(change) <> 0;

INSERT INTO follows
SELECT season, viewer, creator, seq, CASE kind WHEN 12 THEN 1 ELSE -1 END FROM accepted WHERE kind IN (12, 13);
