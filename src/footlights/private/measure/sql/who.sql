-- who. In: counted, traits, follows. Out: who, one row for each first play (reach = 1): the viewer's traits, as they had
-- been told before it in the order of arrival.
-- Of a viewer with more than one interest, further rows (extra 1, 2, 3) hold the later ones, all different. How many of
-- them count is for the policy of the video, or of the channel's season, to say.
CREATE OR REPLACE TEMP TABLE who AS
WITH
first_plays AS (SELECT * FROM counted WHERE reach = 1),
known AS (
    SELECT first_plays.seq, arg_max(traits.age, traits.seq) AS age, arg_max(traits.gender, traits.seq) AS gender,
        arg_max(traits.country, traits.seq) AS country, arg_max(traits.interests, traits.seq) AS interests
    FROM first_plays JOIN traits USING (season, viewer)
    WHERE traits.seq < first_plays.seq GROUP BY first_plays.seq
),
following AS (
    SELECT first_plays.seq, arg_max(on_off, follows.seq) AS on_off
    FROM first_plays JOIN follows USING (season, viewer, creator)
    WHERE follows.seq < first_plays.seq GROUP BY first_plays.seq
),
told AS (
    SELECT first_plays.seq,
        CASE WHEN first_plays.age > 0 THEN first_plays.age ELSE coalesce(known.age, 0) END AS age,
        CASE WHEN first_plays.gender > 0 THEN first_plays.gender ELSE coalesce(known.gender, 0) END AS gender,
        CASE WHEN first_plays.country > 0 THEN first_plays.country ELSE coalesce(known.country, 0) END AS country,
        CASE
            WHEN first_plays.flags & 4 = 4 THEN (first_plays.flags & 2) // 2
            WHEN following.on_off = 1 THEN 1
            ELSE 0
        END AS type,
        coalesce(known.interests, 0) AS interests
    FROM first_plays
    LEFT JOIN known USING (seq)
    LEFT JOIN following USING (seq)
)
SELECT seq, age, gender, country, type, interests & 255 AS interest, 0 AS extra FROM told
UNION ALL
SELECT seq, age, gender, country, type, (interests >> (8 * place)) & 255 AS interest, min(place)
FROM told CROSS JOIN (VALUES (1), (2), (3)) AS places (place)
WHERE (interests >> (8 * place)) & 255 NOT IN (0, interests & 255)
GROUP BY seq, age, gender, country, type, interest;
