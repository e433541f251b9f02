-- channel. In: accepted, acts, counted, who, bonds, bond_hours, season_limits, clock. Out: pending_cells and pending_bins of channels.
-- Bound inside: of one (viewer, creator, season), profile views <= season_limits.profile_views, unique and returning <= 1 each,
-- hours <= season_limits.hours different cells, and one cell of each audience table, whatever arrives and however often.
-- A bond is viewer xor creator: viewers' pseudonyms are pseudorandom, so two bonds meet with probability 2^-64.
-- What counts is the viewer's own first acts on that channel, in order of arrival.
CREATE OR REPLACE TEMP TABLE calls AS
SELECT seq, season, xor(viewer, creator) AS bond, creator, 1 AS visit, 0 AS play,
    at_ms // 86400000 AS day, day(make_timestamp_ms(at_ms)) AS day_of_month, 0 AS hour
FROM accepted WHERE kind = 15
UNION ALL
SELECT seq, season, xor(viewer, creator), creator, 0, 1, at_ms // 86400000, day(make_timestamp_ms(at_ms)),
    (at_ms // 86400000 + 3) % 7 * 24 + at_ms // 3600000 % 24
FROM acts WHERE play > 0;

CREATE OR REPLACE TEMP TABLE known_bonds AS
SELECT bond, sum(profile_views) AS profile_views, min(first_day) AS first_day, sum(returned) AS returned
FROM bonds SEMI JOIN calls USING (bond)
WHERE season BETWEEN (SELECT min(season) FROM calls) AND (SELECT max(season) FROM calls)
GROUP BY bond;

-- what: the cell of the histogram `channel`.
CREATE OR REPLACE TEMP TABLE called AS
WITH
visits AS (
    SELECT *, row_number() OVER (PARTITION BY bond ORDER BY seq) AS nth FROM calls WHERE visit = 1
),
plays AS (
    SELECT bond, min(seq) AS seq, arg_min(day, seq) AS day, min(day) AS earliest, max(day) AS latest
    FROM calls WHERE play = 1 GROUP BY bond
),
-- Whom the batch may have seen on a second day: few, so the rest need not be joined.
again AS (
    SELECT bond, min(calls.seq) AS seq
    FROM calls JOIN (
        SELECT plays.bond, coalesce(first_day, day) AS first_day
        FROM plays LEFT JOIN known_bonds USING (bond)
        WHERE coalesce(returned, 0) = 0 AND (earliest <> coalesce(first_day, day) OR latest <> coalesce(first_day, day))
    ) AS seen USING (bond)
    WHERE play = 1 AND calls.day <> seen.first_day
    GROUP BY bond
)
SELECT seq, season, bond, creator, day, day_of_month, 0 AS what
FROM visits JOIN season_limits USING (season) LEFT JOIN known_bonds USING (bond)
WHERE coalesce(known_bonds.profile_views, 0) + nth <= season_limits.profile_views
UNION ALL
SELECT calls.seq, season, bond, creator, calls.day, day_of_month, 1
FROM calls JOIN plays USING (bond, seq) LEFT JOIN known_bonds USING (bond)
WHERE first_day IS NULL
UNION ALL
SELECT calls.seq, season, bond, creator, day, day_of_month, 2
FROM calls JOIN again USING (bond, seq);

INSERT INTO bonds
SELECT any_value(season), bond, count(*) FILTER (what = 0), min(day) FILTER (what = 1), count(*) FILTER (what = 2)
FROM called GROUP BY bond;

CREATE OR REPLACE TEMP TABLE fresh AS
SELECT season, bond, creator, hour, min(seq) AS seq, arg_min(day_of_month, seq) AS day_of_month
FROM calls ANTI JOIN bond_hours USING (season, bond, hour)
WHERE play = 1 GROUP BY season, bond, creator, hour;

-- A window runs over those alone who would have more hours than count; of all others, every hour does.
CREATE OR REPLACE TEMP TABLE awake AS
WITH
held AS (SELECT bond, count(*) AS hours FROM bond_hours SEMI JOIN fresh USING (season, bond) GROUP BY bond),
room AS (
    SELECT bond, any_value(season_limits.hours) - coalesce(any_value(held.hours), 0) AS hours
    FROM fresh JOIN season_limits USING (season) LEFT JOIN held USING (bond)
    GROUP BY bond HAVING count(*) > any_value(season_limits.hours) - coalesce(any_value(held.hours), 0)
)
SELECT * FROM fresh ANTI JOIN room USING (bond)
UNION ALL
SELECT fresh.* FROM fresh JOIN room USING (bond)
QUALIFY row_number() OVER (PARTITION BY bond ORDER BY seq) <= room.hours;

INSERT INTO bond_hours SELECT season, bond, hour FROM awake;

-- What comes after a season's last tick was published counts in none.
CREATE OR REPLACE TEMP TABLE open_seasons AS
SELECT * FROM season_limits
WHERE epoch(make_timestamp((season + 1) // 12, (season + 1) % 12 + 1, 1, 0, 0, 0))
    > coalesce((SELECT published_through FROM clock), -9223372036854775808);

INSERT INTO pending_bins
SELECT 2, creator, season, day_of_month, 4, what, count(*) FROM called SEMI JOIN open_seasons USING (season) GROUP BY ALL
UNION ALL
SELECT 3, creator, season, least(5, (day_of_month + 6) // 7), 3, hour, count(*)
FROM awake SEMI JOIN open_seasons USING (season) GROUP BY ALL;

INSERT INTO pending_cells
SELECT 3, creator, season, least(5, (day_of_month + 6) // 7), age, gender, country, type,
    CASE WHEN interest < interests_known THEN interest ELSE 0 END AS interest, extra, count(*)
FROM called JOIN who USING (seq) JOIN open_seasons USING (season)
WHERE what = 1 AND (extra = 0 OR extra < interests_max AND interest < interests_known) GROUP BY ALL;
