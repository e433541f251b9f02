-- traits. In: accepted, traits. Out: traits, with what the platform now says of its viewers.
-- interests: a record of traits has them where others have the time watched, a byte each.
INSERT INTO traits
SELECT season, viewer, max(seq), arg_max(age, seq), arg_max(gender, seq), arg_max(country, seq), arg_max(watch_ms, seq)
FROM accepted WHERE kind = 16 GROUP BY season, viewer;
