-- 0002: a third of the work to write a frame. Those that wait have no index
-- by state, those that are ready one; and what is checked of each row is no
-- list: SQLite makes a table of each IN, for each row. And a phase of many
-- frames is entered in steps.

DROP INDEX task_ready;
DROP INDEX task_suspect;
DROP INDEX task_due;
DROP INDEX task_state_of;
ALTER TABLE task RENAME TO task_1;

CREATE TABLE task (
  job         INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  kind        TEXT    NOT NULL CHECK (kind = 'render' OR kind = 'scan' OR
              kind = 'survey' OR kind = 'solve'),
  number      INTEGER NOT NULL CHECK (typeof(number) = 'integer'),
  state       TEXT    NOT NULL REFERENCES task_state(name),
  attempt     INTEGER NOT NULL DEFAULT 0, -- fencing token: only rises
  failures    INTEGER NOT NULL DEFAULT 0, -- what retries is compared with
  suspect     INTEGER NOT NULL DEFAULT 0, -- runs alone: its worker died
  not_before  INTEGER NOT NULL DEFAULT 0,
  rank        INTEGER NOT NULL,           -- order of work in the job
  code        TEXT,                       -- of the last failure
  text        TEXT,
  path        TEXT,
  sha256      TEXT,
  fingerprint TEXT,
  bytes       INTEGER,
  low         REAL,
  high        REAL,
  seconds     REAL,
  odd         TEXT,                       -- why a person should look
  PRIMARY KEY (job, kind, number)) WITHOUT ROWID;
INSERT INTO task SELECT * FROM task_1;
CREATE INDEX task_ready ON task(job, kind, suspect, rank) WHERE state = 'ready';
CREATE INDEX task_suspect ON task(job) WHERE state = 'ready' AND suspect = 1;
CREATE INDEX task_due ON task(not_before, job, kind) WHERE state IN ('retry', 'blocked');
CREATE INDEX task_state_of ON task(job, kind, state)
  WHERE state <> 'done' AND state <> 'waiting' AND state <> 'ready';

-- The same, of the new table: with the old one its rows would go.
CREATE TABLE attempt_2 (
  job     INTEGER NOT NULL,
  kind    TEXT    NOT NULL,
  number  INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  began   TEXT    NOT NULL,
  ended   TEXT,
  event   TEXT,     -- how it ended
  code    TEXT,
  text    TEXT,
  seconds REAL,
  PRIMARY KEY (job, kind, number, attempt),
  FOREIGN KEY (job, kind, number) REFERENCES task ON DELETE CASCADE) WITHOUT ROWID;
INSERT INTO attempt_2 SELECT * FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_2 RENAME TO attempt;
DROP TABLE task_1;

-- Tasks of the job's phase from this number on are still to become ready;
-- NULL: none.
ALTER TABLE job ADD COLUMN release_from INTEGER;
CREATE INDEX job_releasing ON job(priority, id) WHERE release_from IS NOT NULL;

-- The last time of day that was believed, in ms since 1970: one row. A clock
-- that is far ahead of it is doubted before anything is forgotten by its age.
CREATE TABLE clock (seen_ms INTEGER NOT NULL);
INSERT INTO clock SELECT 1000 * CAST(strftime('%s', ifnull(
  (SELECT time FROM event ORDER BY id DESC LIMIT 1), 'now')) AS INTEGER);
