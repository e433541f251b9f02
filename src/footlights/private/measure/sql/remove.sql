-- remove. In: removed(video, removed_at). Out: videos, whose ticks end there; the first removal holds.
UPDATE videos SET removed_at = removed.removed_at
FROM removed WHERE videos.video = removed.video AND videos.removed_at IS NULL;
