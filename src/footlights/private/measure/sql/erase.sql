-- erase. In: gone_pairs(season, pair), gone_bonds(season, bond), gone_viewers(season, viewer): all of some viewers.
-- Out: the store without their rows. What was counted already stays in the counts: they tell nothing of one person.
DELETE FROM pairs USING gone_pairs WHERE pairs.season = gone_pairs.season AND pairs.pair = gone_pairs.pair
RETURNING pairs.pair;

DELETE FROM sessions USING gone_pairs WHERE sessions.season = gone_pairs.season AND sessions.pair = gone_pairs.pair
RETURNING sessions.pair;

DELETE FROM seen USING gone_pairs WHERE seen.pair = gone_pairs.pair RETURNING seen.pair;

DELETE FROM minutes USING gone_pairs WHERE minutes.pair = gone_pairs.pair RETURNING minutes.pair;

DELETE FROM waiting USING gone_pairs WHERE waiting.season = gone_pairs.season AND waiting.pair = gone_pairs.pair
RETURNING waiting.pair;

DELETE FROM likes USING gone_pairs WHERE likes.season = gone_pairs.season AND likes.pair = gone_pairs.pair
RETURNING likes.pair;

DELETE FROM bonds USING gone_bonds WHERE bonds.season = gone_bonds.season AND bonds.bond = gone_bonds.bond
RETURNING bonds.bond;

DELETE FROM bond_hours USING gone_bonds WHERE bond_hours.season = gone_bonds.season AND bond_hours.bond = gone_bonds.bond
RETURNING bond_hours.bond;

DELETE FROM follows USING gone_viewers WHERE follows.season = gone_viewers.season AND follows.viewer = gone_viewers.viewer
RETURNING follows.viewer;

DELETE FROM traits USING gone_viewers WHERE traits.season = gone_viewers.season AND traits.viewer = gone_viewers.viewer
RETURNING traits.viewer;
