-- traits. In: accepted, traits. Out: traits, with what the platform now says of its viewers.
-- interests: a record of traits has them where others have the time watched, a byte each.
INSERT INTO traits
SELECT season, viewer, seq, age, gender, country, watch_ms FROM accepted WHERE kind = 16;
