-- export. In: asked_pairs(season, pair, subject), asked_bonds(season, bond, creator), asked_viewers(season, viewer).
-- Out: one answer a statement, of what the store holds of one viewer: videos, sessions, likes, channels, hours, follows,
-- traits, messages.
SELECT season, videos.id AS video, sum(plays) AS plays, sum(watch_ms) AS watched_ms, sum(full_view) AS watched_to_the_end,
    sum(share) AS shares, sum(favorite) AS saves, sum(follow) AS follows_from_here
FROM pairs JOIN asked_pairs USING (season, pair) JOIN videos ON videos.video = asked_pairs.subject
GROUP BY ALL ORDER BY ALL;

SELECT season, videos.id AS video, session, max(at_ms) AS last_at_ms, arg_max(position_ms, seq) AS position_ms
FROM sessions JOIN asked_pairs USING (season, pair) JOIN videos ON videos.video = asked_pairs.subject
GROUP BY ALL ORDER BY last_at_ms;

SELECT season, videos.id AS video, arg_max(on_off, seq) = 1 AS liked
FROM likes JOIN asked_pairs USING (season, pair) JOIN videos ON videos.video = asked_pairs.subject
GROUP BY ALL ORDER BY ALL;

SELECT season, creators.id AS creator, sum(profile_views) AS profile_views,
    CAST(DATE '1970-01-01' + min(first_day) AS VARCHAR) AS first_day, sum(returned) > 0 AS returned
FROM bonds JOIN asked_bonds USING (season, bond) JOIN creators USING (creator)
GROUP BY ALL ORDER BY ALL;

SELECT season, creators.id AS creator, hour AS hour_of_the_week
FROM bond_hours JOIN asked_bonds USING (season, bond) JOIN creators USING (creator)
ORDER BY ALL;

SELECT season, creators.id AS creator, arg_max(on_off, seq) = 1 AS following
FROM follows JOIN asked_viewers USING (season, viewer) JOIN creators USING (creator)
GROUP BY ALL ORDER BY ALL;

SELECT season, seq AS told, age, gender, country, interests FROM traits JOIN asked_viewers USING (season, viewer)
ORDER BY ALL;

SELECT CAST(DATE '1970-01-01' + day AS VARCHAR) AS day, count(*) AS messages
FROM seen JOIN asked_pairs USING (pair) GROUP BY ALL ORDER BY ALL;
