-- bin_rows. In: bins, due. Out: what each due stream's histograms gained at each step so far, bounded before.
SELECT slot, step, histogram, bin, viewers
FROM bins JOIN due USING (schedule, subject, season)
