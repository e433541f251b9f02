-- let_go. In: due(schedule, subject, season) whose last tick was published. Out: cells and bins without them.
DELETE FROM cells USING due
WHERE cells.schedule = due.schedule AND cells.subject = due.subject AND cells.season = due.season;

DELETE FROM bins USING due
WHERE bins.schedule = due.schedule AND bins.subject = due.subject AND bins.season = due.season;
