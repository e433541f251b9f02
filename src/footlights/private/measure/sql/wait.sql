-- wait. In: counted, told, traits, follows. Out: pending and pending_cells: bounded counts by the tick they fall in.
-- Bound inside: a (viewer, video, season) is in one cell of each table, at its first play (counted.reach).
INSERT INTO pending
SELECT video, tick, sum(reach), sum(replays), sum(watch), sum(full_views), sum(shares), sum(favorites), sum(followers),
    sum(likes), sum(comments)
FROM (
    SELECT video, tick, reach, replays, watch, full_views, shares, favorites, followers, 0 AS likes, 0 AS comments
    FROM counted
    UNION ALL SELECT video, tick, 0, 0, 0, 0, 0, 0, 0, likes, comments FROM told
)
GROUP BY video, tick;

INSERT INTO pending_cells
WITH
first_plays AS (SELECT * FROM counted WHERE reach = 1 AND milestone <= 5),
known AS (
    SELECT season, viewer, arg_max(age, seq) AS age, arg_max(gender, seq) AS gender, arg_max(country, seq) AS country
    FROM traits SEMI JOIN first_plays USING (season, viewer) GROUP BY season, viewer
),
following AS (
    SELECT season, viewer, creator, arg_max(on_off, seq) AS on_off
    FROM follows SEMI JOIN first_plays USING (season, viewer, creator) GROUP BY season, viewer, creator
)
SELECT video, milestone,
    CASE WHEN first_plays.age > 0 THEN first_plays.age ELSE coalesce(known.age, 0) END,
    CASE WHEN first_plays.gender > 0 THEN first_plays.gender ELSE coalesce(known.gender, 0) END,
    CASE WHEN first_plays.country > 0 THEN first_plays.country ELSE coalesce(known.country, 0) END,
    CASE
        WHEN first_plays.flags & 4 = 4 THEN (first_plays.flags & 2) // 2
        WHEN following.on_off = 1 THEN 1
        ELSE 0
    END,
    count(*)
FROM first_plays
LEFT JOIN known USING (season, viewer)
LEFT JOIN following USING (season, viewer, creator)
GROUP BY ALL;
