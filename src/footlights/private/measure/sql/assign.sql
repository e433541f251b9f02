-- assign. In: due(video, family, first_tick, last_tick, offset_tick), pending, pending_cells. family: 0 counters, 1 audience.
-- Out: increments and cells: what each due tick adds is fixed here, once. Late counts go to the first due tick.
INSERT INTO increments
SELECT pending.video, greatest(tick, first_tick) - offset_tick, sum(reach), sum(replays), sum(watch), sum(full_views),
    sum(shares), sum(favorites), sum(followers), sum(likes), sum(comments)
FROM pending JOIN due ON pending.video = due.video AND due.family = 0
WHERE tick <= last_tick GROUP BY ALL;

DELETE FROM pending USING due
WHERE pending.video = due.video AND due.family = 0 AND tick <= last_tick;

INSERT INTO cells
SELECT pending_cells.video, greatest(milestone, first_tick) - offset_tick, age, gender, country, type, sum(viewers)
FROM pending_cells JOIN due ON pending_cells.video = due.video AND due.family = 1
WHERE milestone <= last_tick GROUP BY ALL;

DELETE FROM pending_cells USING due
WHERE pending_cells.video = due.video AND due.family = 1 AND milestone <= last_tick;
