-- audience_rows. In: cells, due. Out: each due video's new viewers by cell and step; a viewer is in one row, once.
SELECT slot, step, age, gender, country, type, viewers
FROM cells JOIN due ON cells.video = due.video AND due.family = 1
