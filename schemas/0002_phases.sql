-- 0002: half as much is written for a frame that is submitted, and for one
-- that becomes ready: those that wait have no index, those that are ready one.
-- And a phase of many frames is entered in steps.

DROP INDEX task_state_of;
CREATE INDEX task_state_of ON task(job, kind, state)
  WHERE state NOT IN ('done', 'waiting', 'ready');

-- Tasks of the job's phase from this number on are still to become ready;
-- NULL: none.
ALTER TABLE job ADD COLUMN release_from INTEGER;
CREATE INDEX job_releasing ON job(priority, id) WHERE release_from IS NOT NULL;

-- The last time of day that was believed, in ms since 1970: one row. A clock
-- that is far ahead of it is doubted before anything is forgotten by its age.
CREATE TABLE clock (seen_ms INTEGER NOT NULL);
INSERT INTO clock SELECT 1000 * CAST(strftime('%s', ifnull(
  (SELECT time FROM event ORDER BY id DESC LIMIT 1), 'now')) AS INTEGER);
