-- cell_rows. In: cells, due. Out: each due stream's new viewers by cell and step; a viewer is in one row, once, but for
-- the further interests that the policy allows (extra).
SELECT slot, step, age, gender, country, type, interest, extra, viewers
FROM cells JOIN due USING (schedule, subject, season)
