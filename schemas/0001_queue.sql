-- 0001: the queue. Never edited once released: a change is a new file.
--
-- Times of day are RFC 3339 UTC text. not_before and held_until are
-- milliseconds of the running dispatcher's own clock and start anew with it.

CREATE TABLE task_state (name TEXT PRIMARY KEY) WITHOUT ROWID; -- from task_states.def

CREATE TABLE model (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  version TEXT NOT NULL,
  path    TEXT NOT NULL,
  sha256  TEXT NOT NULL CHECK (length(sha256) = 64),
  UNIQUE (name, version, sha256));

CREATE TABLE job (
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
  uid        INTEGER NOT NULL,       -- of who submitted it
  key        TEXT NOT NULL,          -- idempotency key: a resend makes no job
  body       TEXT NOT NULL,          -- digest of what was sent with the key
  name       TEXT NOT NULL,
  yaml       TEXT NOT NULL,
  file       TEXT NOT NULL,
  folder     TEXT NOT NULL,
  frames     TEXT NOT NULL,          -- range text: the whole shot
  output     TEXT NOT NULL,          -- pattern
  out_folder TEXT NOT NULL,
  model      INTEGER NOT NULL REFERENCES model(id),
  priority   INTEGER NOT NULL,
  retries    INTEGER NOT NULL,
  wish       TEXT NOT NULL CHECK (wish IN ('run', 'hold', 'pause', 'cancel')),
  after      INTEGER REFERENCES job(id) ON DELETE SET NULL,
  held_until INTEGER NOT NULL DEFAULT 0, -- storage is full
  submitted  TEXT NOT NULL,
  finished   TEXT,
  -- The first kind of task that is not settled; its tasks alone are claimed.
  phase      TEXT NOT NULL DEFAULT 'survey'
             CHECK (phase IN ('survey', 'scan', 'solve', 'render')),
  -- How many frames (renders) are in each state, kept with every move, never
  -- counted.
  waiting    INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
  ready      INTEGER NOT NULL DEFAULT 0 CHECK (ready >= 0),
  running    INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
  retry      INTEGER NOT NULL DEFAULT 0 CHECK (retry >= 0),
  blocked    INTEGER NOT NULL DEFAULT 0 CHECK (blocked >= 0),
  done       INTEGER NOT NULL DEFAULT 0 CHECK (done >= 0),
  failed     INTEGER NOT NULL DEFAULT 0 CHECK (failed >= 0),
  skipped    INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
  eaten      INTEGER NOT NULL DEFAULT 0 CHECK (eaten >= 0),
  canceled   INTEGER NOT NULL DEFAULT 0 CHECK (canceled >= 0),
  -- The same of what comes before them: the survey, scans, the solve.
  early_waiting  INTEGER NOT NULL DEFAULT 0 CHECK (early_waiting >= 0),
  early_ready    INTEGER NOT NULL DEFAULT 0 CHECK (early_ready >= 0),
  early_running  INTEGER NOT NULL DEFAULT 0 CHECK (early_running >= 0),
  early_retry    INTEGER NOT NULL DEFAULT 0 CHECK (early_retry >= 0),
  early_blocked  INTEGER NOT NULL DEFAULT 0 CHECK (early_blocked >= 0),
  early_done     INTEGER NOT NULL DEFAULT 0 CHECK (early_done >= 0),
  early_failed   INTEGER NOT NULL DEFAULT 0 CHECK (early_failed >= 0),
  early_skipped  INTEGER NOT NULL DEFAULT 0 CHECK (early_skipped >= 0),
  early_eaten    INTEGER NOT NULL DEFAULT 0 CHECK (early_eaten >= 0),
  early_canceled INTEGER NOT NULL DEFAULT 0 CHECK (early_canceled >= 0),
  open       INTEGER AS (waiting + ready + running + retry + blocked +
             early_waiting + early_ready + early_running + early_retry +
             early_blocked > 0) VIRTUAL,
  UNIQUE (uid, key));
CREATE INDEX job_open ON job(priority, id) WHERE open = 1;
CREATE INDEX job_out ON job(out_folder) WHERE open = 1;

CREATE TABLE task (
  job         INTEGER NOT NULL REFERENCES job(id) ON DELETE CASCADE,
  kind        TEXT    NOT NULL CHECK (kind IN
              ('survey', 'scan', 'solve', 'render')),
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
CREATE INDEX task_ready ON task(job, kind, suspect, rank) WHERE state = 'ready';
CREATE INDEX task_suspect ON task(job) WHERE state = 'ready' AND suspect = 1;
CREATE INDEX task_due ON task(not_before, job, kind) WHERE state IN ('retry', 'blocked');
CREATE INDEX task_state_of ON task(job, kind, state) WHERE state <> 'done';

CREATE TABLE attempt (
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

-- Who did what, in the same transaction; outlives its job.
CREATE TABLE event (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  time    TEXT    NOT NULL,
  uid     INTEGER NOT NULL, -- -1: the dispatcher
  pid     INTEGER NOT NULL,
  job     INTEGER NOT NULL,
  kind    TEXT,             -- of the tasks; with number and attempt: of one
  number  INTEGER,
  attempt INTEGER,
  verb    TEXT    NOT NULL,
  before  TEXT,
  after   TEXT,
  count   INTEGER NOT NULL DEFAULT 1, -- tasks moved
  text    TEXT);
CREATE INDEX event_job ON event(job, id);

-- Worker processes of this daemon, so that the next one can prove them dead.
CREATE TABLE process (
  pid     INTEGER NOT NULL,
  started INTEGER NOT NULL, -- clock ticks after boot, as /proc/PID/stat says
  boot    TEXT    NOT NULL,
  PRIMARY KEY (pid, started, boot)) WITHOUT ROWID;
