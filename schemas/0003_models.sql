-- 0003: what becomes of the models.
--
-- A row of `model` is a version as jobs or its library have told of it. What
-- is true of versions and aliases stands in the library, which this follows;
-- how many frames a version made stands here alone, and outlives its jobs.

ALTER TABLE model ADD COLUMN frames INTEGER NOT NULL DEFAULT 0 CHECK (frames >= 0);
ALTER TABLE model ADD COLUMN used TEXT;     -- when the last of them was made
ALTER TABLE model ADD COLUMN state TEXT NOT NULL DEFAULT 'there'
  CHECK (state IN ('there', 'retired', 'gone'));
ALTER TABLE model ADD COLUMN verdict TEXT CHECK (verdict IN ('passed', 'failed'));
ALTER TABLE model ADD COLUMN verified TEXT; -- when that was found

UPDATE model SET frames = coalesce((SELECT sum(done) FROM job WHERE job.model = model.id), 0);

-- On what an attempt ran: device, instruction set, library, threads.
ALTER TABLE attempt ADD COLUMN execution TEXT;

-- Where a name's aliases pointed, step by step: the last one of each counts.
CREATE TABLE alias_move (
  name   TEXT    NOT NULL,
  step   INTEGER NOT NULL, -- from 0
  alias  TEXT    NOT NULL,
  before TEXT,             -- version; NULL: it was none yet
  after  TEXT,             -- NULL: it was taken away
  who    TEXT    NOT NULL,
  time   TEXT    NOT NULL,
  PRIMARY KEY (name, step)) WITHOUT ROWID;
