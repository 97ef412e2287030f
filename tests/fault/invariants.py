"""What must hold of a queue after any fault, read from its database and files.

The letters are those of the promises: I1 every acknowledged job is there, I2
each output is absent or whole, I3 a done row's file hashes to its row, I4 each
task settles once, I5 nothing runs without an owner, I6 SQLite finds nothing
wrong, I7 nothing is left behind. The program under test is not asked: the
database is read with Python's own SQLite, a copy of it while a daemon may
still want it as it is.
"""
import hashlib
import shutil
import sqlite3
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

SETTLED = {"done", "failed", "skipped", "eaten", "canceled"}


def read(state, look):
    """look(connection) over a copy of the database with its -wal: the files themselves are not touched."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("queue.db", "queue.db-wal"):
            if (Path(state) / name).exists():
                shutil.copy(Path(state) / name, folder)
        with sqlite3.connect(Path(folder) / "queue.db") as db:
            found = look(db)
        db.close()
    return found


def rows(db, sql):
    return db.execute(sql).fetchall()


# ---- at any moment -------------------------------------------------------------------


def sound(db):
    """I6, and that counts and rows agree -> what is wrong."""
    wrong = [f"I6: integrity_check: {text}" for (text,) in rows(db, "PRAGMA integrity_check") if text != "ok"]
    wrong += [f"I6: foreign_key_check: {row}" for row in rows(db, "PRAGMA foreign_key_check")]
    counted = defaultdict(Counter)
    for job, column, count in rows(db, "SELECT job, iif(kind = 'render', '', 'early_') || state, count(*) FROM task "
                                       "GROUP BY 1, 2"):
        counted[job][column] = count
    columns = [early + name for (name,) in rows(db, "SELECT name FROM task_state") for early in ("", "early_")]
    for job, *kept in rows(db, f"SELECT id, {', '.join(columns)} FROM job"):
        if dict(zip(columns, kept)) != {column: counted[job][column] for column in columns}:
            wrong.append(f"job {job}: its counts are not those of its tasks")
    return wrong + [f"{name}: {frames} frames counted, its jobs have made {made}" for name, frames, made in
                    rows(db, "SELECT m.name, m.frames, sum(j.done) FROM model m JOIN job j ON j.model = m.id GROUP BY m.id "
                             "HAVING m.frames < sum(j.done)")]


def acknowledged(db, answers):
    """I1: answers is {key: id} of all that was acknowledged; a resend made no second job."""
    there = rows(db, "SELECT key, id FROM job")
    wrong = [f"I1: job {job} ({key}) was acknowledged and is not there" for key, job in answers.items()
             if (key, job) not in there]
    return wrong + [f"I1: {count} jobs have the key {key}" for key, count in Counter(k for k, _ in there).items()
                    if count > 1]


# ---- at the end ----------------------------------------------------------------------


def settled_once(db):
    """I4, I5: each task has come to one good end, and its attempts add up."""
    wrong = [f"I5: {row} runs" for row in rows(db, "SELECT job, kind, number FROM task WHERE state = 'running'")]
    ends = Counter((job, kind, number) for job, kind, number in
                   rows(db, "SELECT job, kind, number FROM event WHERE kind IS NOT NULL AND after IN "
                            "('done', 'skipped')"))
    tried = defaultdict(list)
    for job, kind, number, attempt, ended, event in rows(
            db, "SELECT job, kind, number, attempt, ended, event FROM attempt ORDER BY attempt"):
        tried[job, kind, number].append((attempt, ended, event))
    for *task, state, attempt in rows(db, "SELECT job, kind, number, state, attempt FROM task"):
        task = tuple(task)
        numbers, times, events = zip(*tried[task]) if tried[task] else ((), (), ())
        if ends[task] != 1:
            wrong.append(f"I4: {task} came to an end {ends[task]} times")
        if state not in ("done", "skipped"):
            wrong.append(f"I4: {task} is {state}")
        if numbers != tuple(range(1, attempt + 1)) or not all(times):
            wrong.append(f"I4: {task} is at attempt {attempt}, its attempts are {tried[task]}")
        elif events[-1] not in ("finish", "skip") or set(events[:-1]) - {"lose", "hand back"}:
            wrong.append(f"I4: {task} ended as {events}")
    return wrong


def told(db):
    """The event log alone, played again, gives the states: each task's own moves follow on each other, and each
    job's moves sum up to its counts."""
    wrong, claims, sums = [], Counter(), defaultdict(Counter)
    open_now = {}  # tasks that their own events left running
    for job, kind, number, attempt, verb, before, after, count in rows(
            db, "SELECT job, kind, number, attempt, verb, before, after, count FROM event ORDER BY id"):
        if before is not None and after is not None and verb != "submit":
            sums[job].update({before: -count, after: count})
        if number is None:
            if before == "running":  # all of the job's of that kind, handed back at a start
                mine = [task for task in open_now if task[:2] == (job, kind)]
                if len(mine) != count:
                    wrong.append(f"job {job}: {count} tasks {verb}, {len(mine)} were running")
                for task in mine:
                    del open_now[task]
            continue
        task = (job, kind, number)
        if verb == "claim":
            claims[task] += 1
            if task in open_now or attempt != claims[task]:
                wrong.append(f"{task}: claimed as attempt {attempt} after {claims[task] - 1} claims")
            open_now[task] = attempt
        elif before == "running" and open_now.pop(task, None) != attempt:
            wrong.append(f"{task}: {verb} of attempt {attempt}, which did not run")
    wrong += [f"{task}: runs by its events" for task in open_now]
    for task in rows(db, "SELECT job, kind, number, attempt FROM task"):
        if claims[task[:3]] != task[3]:
            wrong.append(f"{task[:3]}: attempt {task[3]} after {claims[task[:3]]} claims")
    states = [name for (name,) in rows(db, "SELECT name FROM task_state")]
    both = ", ".join(f"{state} + early_{state}" for state in states)
    for job, tasks, *kept in rows(db, f"SELECT id, (SELECT count(*) FROM task WHERE job = id), {both} FROM job"):
        first = {state: now - sums[job][state] for state, now in zip(states, kept)}
        if first["waiting"] + first["ready"] != tasks or any(first[s] for s in states if s not in ("waiting", "ready")):
            wrong.append(f"job {job}: its events lead from {first} to its counts")
    return wrong


def redone(db):
    """Attempts that were not the last of their task."""
    return rows(db, "SELECT coalesce(sum(attempt - 1), 0) FROM task")[0][0]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(db, expected):
    """I2, I3: expected is {path: sha256}; each is there with those bytes, and its row says so; no other is there."""
    wrong, told_of = [], {}
    for path, sha256 in rows(db, "SELECT path, sha256 FROM task WHERE kind = 'render'"):
        if path in told_of:
            wrong.append(f"I4: two tasks made {path}")
        told_of[path] = sha256
    for path, sha256 in expected.items():
        if not path.exists():
            wrong.append(f"I2: {path} is not there")
        elif digest(path) != sha256:
            wrong.append(f"I2: {path} has other bytes")
        if told_of.get(str(path)) != sha256:
            wrong.append(f"I3: {path}: its row tells of {told_of.get(str(path))}")
    return wrong + [f"I3: a row tells of {path}" for path in told_of.keys() - {str(p) for p in expected}]


def left_behind(folder):
    """I7: no temp anywhere."""
    return [f"I7: {path} is left" for path in Path(folder).rglob("*.tmp")]
