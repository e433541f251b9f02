-- traits. In: accepted, traits. Out: traits, with what the platform now says of its viewers.
INSERT INTO traits
SELECT season, viewer, max(seq), arg_max(age, seq), arg_max(gender, seq), arg_max(country, seq)
FROM accepted WHERE kind = 16 GROUP BY season, viewer;
