-- accept. In: batch(seq, record columns), seen, videos, creators, own(season, viewer, creator).
-- Out: accepted, the events that count, with their subject's facts; refused(reason, events) beside it.
-- A message counts once for its pair: the key is pair xor message, so no viewer's message can displace another's
-- (pairs are pseudorandom: two of different viewers meet with probability 2^-64).
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT batch.*, xor(pair, message) AS message_key, at_ms // 86400000 AS day
FROM batch;

CREATE OR REPLACE TEMP TABLE repeated AS
WITH
days AS (SELECT DISTINCT day FROM arrived),
twice AS (SELECT message_key FROM arrived GROUP BY message_key HAVING count(*) > 1),
later AS (
    SELECT seq, row_number() OVER (PARTITION BY message_key ORDER BY seq) AS nth
    FROM arrived SEMI JOIN twice USING (message_key)
)
SELECT seq FROM later WHERE nth > 1
UNION
SELECT seq FROM arrived SEMI JOIN (SELECT message_key FROM seen SEMI JOIN days USING (day)) AS known USING (message_key);

CREATE OR REPLACE TEMP TABLE judged AS
WITH
fresh AS (SELECT * FROM arrived ANTI JOIN repeated USING (seq)),
placed AS (
    SELECT fresh.*,
        year(make_timestamp_ms(at_ms)) * 12 + month(make_timestamp_ms(at_ms)) - 1 AS season,
        coalesce(videos.creator, creators.creator) AS creator,
        videos.video, videos.posted_at, videos.duration_ms, videos.watch_bound_ms, videos.replays_max
    FROM fresh
    LEFT JOIN videos ON fresh.subject = videos.video AND fresh.kind NOT IN (12, 13, 15, 16)
    LEFT JOIN creators ON fresh.subject = creators.creator AND fresh.kind IN (12, 13, 15)
)
SELECT placed.*,
    CASE
        WHEN kind = 16 THEN 0
        WHEN kind IN (12, 13, 15) AND placed.creator IS NULL THEN 11
        WHEN placed.creator IS NULL THEN 10
        WHEN own.viewer IS NOT NULL THEN 12
        ELSE 0
    END AS reason
FROM placed LEFT JOIN own
    ON placed.viewer = own.viewer AND placed.creator = own.creator AND placed.season = own.season;

CREATE OR REPLACE TEMP TABLE accepted AS
SELECT * EXCLUDE (reason, day, session), (at_ms // 1000) - posted_at AS age_seconds,
    -- A session belongs to its pair: one that spans two videos is two, so neither moves the other's counts.
    CASE WHEN session = 0 THEN 0 ELSE xor(pair, session) END AS session
FROM judged WHERE reason = 0;

-- A refused event is not remembered: declared later and sent again, it counts.
INSERT INTO seen SELECT day, message_key FROM judged WHERE reason = 0;

INSERT INTO tallies
SELECT 'dropped', reason, count(*) FROM judged WHERE reason <> 0 GROUP BY reason
UNION ALL SELECT 'dropped', 9, count(*) FROM repeated HAVING count(*) > 0
UNION ALL SELECT 'folded', 0, count(*) FROM accepted HAVING count(*) > 0;
