-- assign. In: due(schedule, subject, season, first_tick, last_tick, offset_tick), what is pending, watch_bins(bin, from_ms, to_ms).
-- Out: increments, cells and bins: what each due tick adds is fixed here, once. Late counts go to the first due tick.
INSERT INTO increments
SELECT pending.video, greatest(tick, first_tick) - offset_tick, sum(reach), sum(replays), sum(watch), sum(full_views),
    sum(shares), sum(favorites), sum(followers), sum(likes), sum(comments)
FROM pending JOIN due ON pending.video = due.subject AND due.schedule = 0
WHERE tick <= last_tick GROUP BY ALL;

DELETE FROM pending USING due
WHERE pending.video = due.subject AND due.schedule = 0 AND tick <= last_tick;

INSERT INTO cells
SELECT schedule, subject, season, greatest(tick, first_tick) - offset_tick,
    age, gender, country, type, interest, extra, sum(viewers)
FROM pending_cells JOIN due USING (schedule, subject, season)
WHERE tick <= last_tick GROUP BY ALL;

DELETE FROM pending_cells USING due
WHERE pending_cells.schedule = due.schedule AND pending_cells.subject = due.subject
    AND pending_cells.season = due.season AND tick <= last_tick;

INSERT INTO bins
SELECT schedule, subject, season, greatest(tick, first_tick) - offset_tick, histogram, bin, sum(viewers)
FROM pending_bins JOIN due USING (schedule, subject, season)
WHERE tick <= last_tick GROUP BY ALL;

DELETE FROM pending_bins USING due
WHERE pending_bins.schedule = due.schedule AND pending_bins.subject = due.subject
    AND pending_bins.season = due.season AND tick <= last_tick;

-- Bound: one row a pair here, so one cell of each histogram, once: a pair leaves `waiting` for good.
CREATE OR REPLACE TEMP TABLE reached AS
SELECT due.subject, greatest(milestone, first_tick) - offset_tick AS step, pair,
    max(position) AS position, sum(watch_ms) AS watch_ms
FROM waiting JOIN due ON waiting.video = due.subject AND due.schedule = 1
WHERE milestone <= last_tick GROUP BY ALL;

DELETE FROM waiting USING due
WHERE waiting.video = due.subject AND due.schedule = 1 AND milestone <= last_tick;

INSERT INTO bins
SELECT 1, subject, 0, step, 1, position, count(*) FROM reached GROUP BY ALL
UNION ALL
SELECT 1, subject, 0, step, 2, bin, count(*)
FROM reached JOIN watch_bins ON watch_ms >= from_ms AND watch_ms < to_ms GROUP BY ALL;

DROP TABLE reached;
