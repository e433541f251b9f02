-- bound. In: acts, pairs. Out: counted, one row an act, with what it adds after the bounds; pairs remember it.
-- Bound inside: of one (viewer, video, season), reach <= 1, replays and watch time <= the video's own bounds,
-- full views, shares, favorites and followers <= 1 each, whatever arrives, in whatever order and however often.
-- First come, first counted: a running sum in order of arrival is cut at the bound. Windows run over pairs with more
-- than one act in this batch alone; all others need none.
CREATE OR REPLACE TEMP TABLE counted AS
WITH
private_acts AS (
    SELECT * FROM acts WHERE play + watched_ms + full_view + share + favorite + follow > 0
),
held AS (
    SELECT pair, sum(plays) AS plays, sum(watch_ms) AS watch_ms, sum(full_view) AS full_view, sum(share) AS share,
        sum(favorite) AS favorite, sum(follow) AS follow
    FROM pairs SEMI JOIN private_acts USING (pair)
    WHERE season BETWEEN (SELECT min(season) FROM private_acts) AND (SELECT max(season) FROM private_acts)
    GROUP BY pair
),
many AS (SELECT pair FROM private_acts GROUP BY pair HAVING count(*) > 1),
running AS (
    SELECT *,
        sum(play) OVER so_far AS plays_run, sum(watched_ms) OVER so_far AS watch_run,
        sum(full_view) OVER so_far AS full_run, sum(share) OVER so_far AS share_run,
        sum(favorite) OVER so_far AS favorite_run, sum(follow) OVER so_far AS follow_run
    FROM private_acts SEMI JOIN many USING (pair)
    WINDOW so_far AS (PARTITION BY pair ORDER BY seq ROWS UNBOUNDED PRECEDING)
    UNION ALL
    SELECT *, play, watched_ms, full_view, share, favorite, follow
    FROM private_acts ANTI JOIN many USING (pair)
),
state AS (
    SELECT running.*,
        coalesce(held.plays, 0) + plays_run AS plays_after,
        coalesce(held.watch_ms, 0) + watch_run AS watch_after,
        coalesce(held.full_view, 0) + full_run AS full_after,
        coalesce(held.share, 0) + share_run AS share_after,
        coalesce(held.favorite, 0) + favorite_run AS favorite_after,
        coalesce(held.follow, 0) + follow_run AS follow_after
    FROM running LEFT JOIN held USING (pair)
),
cut AS (
    SELECT *,
        least(1, plays_after) - least(1, plays_after - play) AS reach,
        least(1 + replays_max, plays_after) - least(1 + replays_max, plays_after - play) AS plays,
        least(watch_bound_ms, watch_after)::BIGINT AS watch_to_ms,
        least(watch_bound_ms, watch_after - watched_ms)::BIGINT AS watch_from_ms,
        least(1, full_after) - least(1, full_after - full_view) AS full_views,
        least(1, share_after) - least(1, share_after - share) AS shares,
        least(1, favorite_after) - least(1, favorite_after - favorite) AS favorites,
        least(1, follow_after) - least(1, follow_after - follow) AS followers
    FROM state
)
-- Watch time is counted in 1/256 of the bound. The pair's own low bits offset the rounding, so that a sum over
-- viewers is unbiased, nobody's rounding depends on anybody else, and a viewer at the bound adds 256 exactly.
SELECT seq, season, pair, viewer, video, creator, posted_at, tick, milestone, flags, age, gender, country, source, position, reach, plays, plays - reach AS replays, watch_to_ms - watch_from_ms AS watch_ms, full_views, shares, favorites,
    followers,
    (watch_to_ms * 16777216 + watch_bound_ms * (pair & 65535)) // (watch_bound_ms * 65536)
        - (watch_from_ms * 16777216 + watch_bound_ms * (pair & 65535)) // (watch_bound_ms * 65536) AS watch
FROM cut;

INSERT INTO pairs
SELECT any_value(season), pair, sum(plays), sum(watch_ms), sum(full_views), sum(shares), sum(favorites), sum(followers)
FROM counted GROUP BY pair
HAVING sum(plays) + sum(watch_ms) + sum(full_views) + sum(shares) + sum(favorites) + sum(followers) > 0;
