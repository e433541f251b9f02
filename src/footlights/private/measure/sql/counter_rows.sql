-- counter_rows. In: increments, due. Out: what each due video added at each of its steps so far, bounded above.
SELECT slot, step, reach, replays, watch, full_views, shares, favorites, followers, likes, comments
FROM increments JOIN due ON increments.video = due.video AND due.family = 0
ORDER BY slot, step
