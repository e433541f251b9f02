-- counter_rows. In: increments, due. Out: what each due video added at each of its steps so far, bounded before.
SELECT slot, step, reach, replays, watch, full_views, shares, favorites, followers, likes, comments
FROM increments JOIN due ON increments.video = due.subject AND due.schedule = 0
ORDER BY slot, step
