-- gather. In: increments, bins(video, step, into_step). Out: increments with the steps of one bin in one row.
-- The encoder gives all of a bin one coefficient from here on, so their sum is all it needs.
CREATE OR REPLACE TEMP TABLE gathered AS
SELECT increments.video, into_step AS step, sum(reach), sum(replays), sum(watch), sum(full_views), sum(shares),
    sum(favorites), sum(followers), sum(likes), sum(comments)
FROM increments JOIN bins ON increments.video = bins.video AND increments.step = bins.step
GROUP BY ALL;

DELETE FROM increments USING bins WHERE increments.video = bins.video AND increments.step = bins.step;

INSERT INTO increments SELECT * FROM gathered;
