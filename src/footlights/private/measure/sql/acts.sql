-- acts. In: accepted, played. Out: acts, what each accepted event would add to its video's counts, before any bound.
CREATE OR REPLACE TEMP TABLE acts AS
SELECT accepted.seq, season, pair, viewer, video, creator, at_ms, posted_at, watch_bound_ms, replays_max, kind,
    flags,
    age, gender, country, source,
    CASE
        WHEN age_seconds <= 0 THEN 1
        WHEN age_seconds <= 86400 THEN (age_seconds + 59) // 60
        WHEN age_seconds <= 2592000 THEN 1440 + (age_seconds - 86400 + 3599) // 3600
        ELSE 2136 + (age_seconds - 2592000 + 86399) // 86400
    END AS tick,
    CASE
        WHEN age_seconds <= 21600 THEN 1
        WHEN age_seconds <= 86400 THEN 2
        WHEN age_seconds <= 259200 THEN 3
        WHEN age_seconds <= 604800 THEN 4
        WHEN age_seconds <= 2419200 THEN 5
        ELSE 6
    END AS milestone,
    CASE WHEN kind = 5 THEN 1 WHEN kind = 2 AND session = 0 THEN 1 ELSE coalesce(played.play, 0) END AS play,
    CASE WHEN kind = 5 THEN watch_ms ELSE coalesce(played.watched_ms, 0) END AS watched_ms,
    CASE WHEN ended = 1 OR played.looped > 0 THEN 1 ELSE 0 END AS full_view,
    -- How far: one of 100 parts of the video; of a video without a length, one of 100 parts of 600 s.
    CASE
        WHEN ended = 1 OR played.looped > 0 THEN 99
        WHEN kind NOT IN (2, 3, 5) THEN 0
        ELSE least(99, coalesce(played.reached_ms, position_ms)::BIGINT * 100
            // CASE WHEN duration_ms > 0 THEN duration_ms ELSE 600000 END)
    END AS position,
    CASE WHEN kind = 9 THEN 1 ELSE 0 END AS share,
    CASE WHEN kind = 10 THEN 1 ELSE 0 END AS favorite,
    CASE WHEN kind = 14 THEN 1 ELSE 0 END AS follow
FROM accepted LEFT JOIN played ON accepted.seq = played.seq
WHERE video IS NOT NULL AND age_seconds <= 63072000;  -- two years: after the last tick nothing counts
