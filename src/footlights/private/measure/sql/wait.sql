-- wait. In: counted, told, who, videos, clock. Out: pending, pending_cells, pending_bins, waiting: bounded counts by the tick they fall in.
-- Bound inside: a (viewer, video, season) is in one cell of each table and histogram, once: that of its first play
-- (counted.reach). For how far and how long it watched, `waiting` keeps it until that milestone's tick fixes its cell.
INSERT INTO pending
SELECT video, tick, sum(reach), sum(replays), sum(watch), sum(full_views), sum(shares), sum(favorites), sum(followers),
    sum(likes), sum(comments)
FROM (
    SELECT video, tick, reach, replays, watch, full_views, shares, favorites, followers, 0 AS likes, 0 AS comments
    FROM counted
    UNION ALL SELECT video, tick, 0, 0, 0, 0, 0, 0, 0, likes, comments FROM told
)
GROUP BY video, tick;

-- What comes after a video's last milestone was published counts in none.
CREATE OR REPLACE TEMP TABLE open AS
SELECT * FROM counted
WHERE milestone <= 5 AND posted_at + 2419200 > coalesce((SELECT published_through FROM clock), -9223372036854775808);

INSERT INTO pending_cells
SELECT 1, video, 0, milestone, who.age, who.gender, who.country, who.type,
    -- An interest that came into the list after this video's policy is one that it does not know.
    CASE WHEN interest < interests_known THEN interest ELSE 0 END AS interest, who.extra, count(*)
FROM open JOIN who USING (seq) JOIN videos USING (video)
WHERE (extra = 0 OR extra < interests_max AND interest < interests_known) GROUP BY ALL;

INSERT INTO pending_bins
SELECT 1, video, 0, milestone, 0, source, count(*)
FROM open WHERE reach = 1 GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE watching AS
SELECT pair, milestone, seq AS from_seq FROM open WHERE reach = 1
UNION ALL
SELECT pair, min(milestone), -1 FROM waiting SEMI JOIN counted USING (pair) GROUP BY pair;

INSERT INTO waiting
SELECT any_value(season), pair, any_value(video), watching.milestone, max(position), sum(watch_ms)
FROM counted JOIN watching USING (pair)
WHERE seq >= from_seq GROUP BY pair, watching.milestone;
