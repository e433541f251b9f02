-- accept. In: batch(seq, record columns), seen, minutes, videos, creators, own(season, viewer, creator), season_limits,
-- erased_viewers.
-- Out: accepted, the events that count, with their subject's facts; tallies of those that do not.
-- An event counts by what was told before it in the order of arrival: where a batch ends decides nothing, since one
-- viewer's event more or less could move that end.
-- A message counts once for its pair and day: the key is pair xor message, so no viewer's message can displace another's
-- (pairs are pseudorandom: two of different viewers meet with probability 2^-64). Disclosed acts have keys of their own:
-- else a like that carries the message id of a private view would tell of it by not being counted.
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT batch.*, at_ms // 86400000 AS day,
    xor(xor(pair, message), CASE WHEN kind IN (6, 7, 8, 12, 13) THEN 1 ELSE 0 END) AS message_key
FROM batch;

CREATE OR REPLACE TEMP TABLE judged AS
WITH placed AS (
    SELECT arrived.*,
        year(make_timestamp_ms(at_ms)) * 12 + month(make_timestamp_ms(at_ms)) - 1 AS season,
        coalesce(videos.creator, creators.creator) AS creator,
        videos.video, videos.posted_at, videos.duration_ms, videos.watch_bound_ms, videos.replays_max
    FROM arrived
    LEFT JOIN videos
        ON arrived.subject = videos.video AND arrived.kind NOT IN (12, 13, 15, 16) AND videos.declared_seq <= arrived.seq
    LEFT JOIN creators
        ON arrived.subject = creators.creator AND arrived.kind IN (12, 13, 15) AND creators.declared_seq <= arrived.seq
)
SELECT placed.*,
    CASE
        WHEN erased_viewers.viewer IS NOT NULL THEN 8
        WHEN kind = 16 THEN 0
        WHEN kind IN (12, 13, 15) AND placed.creator IS NULL THEN 11
        WHEN placed.creator IS NULL THEN 10
        WHEN own.viewer IS NOT NULL THEN 12
        ELSE 0
    END AS reason
FROM placed LEFT JOIN own
    ON placed.viewer = own.viewer AND placed.creator = own.creator AND placed.season = own.season
-- A viewer's own ask alone decides whether they count: it stands for one season of theirs.
LEFT JOIN erased_viewers
    ON placed.viewer = erased_viewers.viewer AND placed.season = erased_viewers.season AND erased_seq <= placed.seq;

-- Among those that would count: a refused event is not remembered, so declared later and sent again, it counts.
CREATE OR REPLACE TEMP TABLE repeated AS
WITH
twice AS (SELECT day, message_key FROM judged WHERE reason = 0 GROUP BY day, message_key HAVING count(*) > 1),
later AS (
    SELECT seq, row_number() OVER (PARTITION BY day, message_key ORDER BY seq) AS nth
    FROM judged SEMI JOIN twice USING (day, message_key)
    WHERE reason = 0
)
SELECT seq FROM later WHERE nth > 1
UNION
SELECT seq FROM judged SEMI JOIN seen USING (day, message_key) WHERE reason = 0;

-- So many events a minute of one pair count, the first to arrive; a repeated one is none of them. A minute's key is the
-- pair's own, and disclosed acts have minutes of their own: what else a viewer did decides nothing about a disclosed act,
-- and nothing about another pair. What is beyond the limit is remembered as a message all the same: else the same message
-- told of another minute would count or not, by whether it came in the same batch.
CREATE OR REPLACE TEMP TABLE by_minute AS
SELECT minute_key, any_value(day) AS day, any_value(season) AS season, any_value(pair) AS pair, count(*) AS events
FROM (
    SELECT xor(pair, at_ms // 60000 * 2 + CASE WHEN kind IN (6, 7, 8, 12, 13) THEN 1 ELSE 0 END) AS minute_key,
        day, season, pair
    FROM judged ANTI JOIN repeated USING (seq) WHERE reason = 0
)
GROUP BY minute_key;

CREATE OR REPLACE TEMP TABLE too_many AS
WITH
held AS (
    SELECT minute_key, sum(events) AS events FROM minutes SEMI JOIN by_minute USING (minute_key)
    WHERE day BETWEEN (SELECT min(day) FROM by_minute) AND (SELECT max(day) FROM by_minute) GROUP BY minute_key
),
beyond AS (
    SELECT minute_key, coalesce(held.events, 0) AS before, events_a_minute
    FROM by_minute LEFT JOIN held USING (minute_key) JOIN season_limits USING (season)
    WHERE by_minute.events + coalesce(held.events, 0) > events_a_minute
)
SELECT seq
FROM judged JOIN beyond
    ON minute_key = xor(pair, at_ms // 60000 * 2 + CASE WHEN kind IN (6, 7, 8, 12, 13) THEN 1 ELSE 0 END)
ANTI JOIN repeated USING (seq)
WHERE reason = 0
QUALIFY before + row_number() OVER (PARTITION BY minute_key ORDER BY seq) > events_a_minute;

INSERT INTO minutes SELECT day, minute_key, events, pair FROM by_minute;

CREATE OR REPLACE TEMP TABLE accepted AS
SELECT * EXCLUDE (reason, session), (at_ms // 1000) - posted_at AS age_seconds,
    -- A session belongs to its pair: one that spans two videos is two, so neither moves the other's counts.
    CASE WHEN session = 0 THEN 0 ELSE xor(pair, session) END AS session,
    -- Watched to the end: the player says so, or is at the video's length, cut to whole seconds as PeerTube cuts it.
    CASE
        WHEN kind = 4 OR (kind = 5 AND flags % 2 = 1) THEN 1
        WHEN kind = 3 AND duration_ms >= 1000 AND position_ms >= duration_ms // 1000 * 1000 THEN 1
        ELSE 0
    END AS ended
FROM judged ANTI JOIN repeated USING (seq) ANTI JOIN too_many USING (seq)
WHERE reason = 0;

INSERT INTO seen SELECT day, message_key, pair FROM accepted;

INSERT INTO seen SELECT day, message_key, pair FROM judged SEMI JOIN too_many USING (seq);

INSERT INTO tallies
SELECT 'dropped', reason, count(*) FROM judged WHERE reason <> 0 GROUP BY reason
UNION ALL SELECT 'dropped', 9, count(*) FROM repeated HAVING count(*) > 0
UNION ALL SELECT 'dropped', 15, count(*) FROM too_many HAVING count(*) > 0
UNION ALL SELECT 'folded', 0, count(*) FROM accepted HAVING count(*) > 0;
