-- declare. In: new_creators, new_videos (declared in this batch, last one of each id), clock. Out: creators, videos.
-- A video keeps the creator, time, length and policy that it was first declared with: bounds and ticks hang on them.
CREATE OR REPLACE TEMP TABLE replaced AS
SELECT creator, min(declared_at) AS declared_at, min(ticks_from) AS ticks_from, min(declared_seq) AS declared_seq
FROM (
    SELECT creator, declared_at, ticks_from, declared_seq FROM creators SEMI JOIN new_creators USING (creator)
    -- Ticks that were over when the platform told of the creator are never published.
    UNION ALL
    SELECT creator, declared_at, greatest((SELECT published_through FROM clock), declared_at), declared_seq
    FROM new_creators
)
GROUP BY creator;

DELETE FROM creators USING new_creators WHERE creators.creator = new_creators.creator;

INSERT INTO creators
SELECT new_creators.creator, id, name, handle, tier, replaced.declared_at, replaced.ticks_from, replaced.declared_seq
FROM new_creators JOIN replaced USING (creator);

UPDATE videos SET title = new_videos.title, hashtags = new_videos.hashtags, sound = new_videos.sound
FROM new_videos WHERE videos.video = new_videos.video;

INSERT INTO videos
SELECT video, id, creator, title, posted_at, duration_ms, hashtags, sound, NULL,
    -- Ticks that were over when the platform told of the video are never published.
    greatest((SELECT published_through FROM clock), declared_at),
    watch_bound_ms, replays_max, interests_max, interests_known, policy, declared_seq
FROM new_videos ANTI JOIN videos USING (video);
