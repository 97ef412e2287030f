# What `depthq doctor` finds in an installation that is broken on purpose, each
# in its own way. The installation is a copy, flat in bin/.

setup() {
    load helpers
    load queue
    load_programs
    mkdir bin home
    cp "$BUILD"/bin/depthq{,d} "$BUILD"/libexec/depthq/* bin/
    PATH="$PWD/bin:$PATH"
    fake identity
    # shellcheck disable=SC2046 # names
    unset $(compgen -e | grep '^DEPTHQ_') XDG_CONFIG_HOME XDG_STATE_HOME OCIO DQ_FAULT
    library net.fake
    export HOME=$PWD/home SYSTEMD_UNIT_PATH=$PWD/units
    cp bin/depthq-worker real-worker
    played_worker
}

teardown() {
    kill_daemon
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
    [ -z "${mounted:-}" ] || umount "$mounted"
}

version_here() { depthq --version | sed 's/depthq //'; }

# worker_says MEMBERS [VERSION]: what `depthq-worker --check` answers, and no
# more; the real one has to load libtorch, which takes a second
worker_says() {
    cat >bin/depthq-worker <<SH
#!/bin/sh
echo '{"version": "${2:-$(version_here)}", "torch": "2", "device": "cpu", "execution": "cpu", "cuda": 0, $1}'
SH
}

# one that plays FAKE_WORKER for the daemon, and is well for the doctor
played_worker() {
    worker_says '"code": "OK", "text": ""'
    sed -i "1a [ \"\$1\" = --check ] || exec '$BUILD/tools/fake_worker' \"\$@\"" bin/depthq-worker
}

real_worker() { cp real-worker bin/depthq-worker; }

with_torch() { [ -e bin/libdq_torch.so ] || skip "built without libtorch"; }

# tells LEVEL CHECK WORDS [STATUS]: that line, and that exit status (or any)
tells() {
    run depthq doctor
    grep -qE "^$1 +$2 +.*$3" <<<"$output" || { echo "no '$1 $2 $3' in: $output"; return 1; }
    [ "$status" -eq "${4:-$status}" ] || { echo "exit $status: $output"; return 1; }
}

# a queue that has been here, and is over; killed: in the middle
a_queue() {
    start_daemon
    "${1:-stop_daemon}" TERM
}

# not in every container
sees_locks() { grep -q " FLOCK .* $daemon " /proc/locks; }

# all files, and their bytes
everything() { find state library -type f -exec sha256sum {} + | sort; }

@test "a whole installation: nothing is wrong, and nothing is changed" {
    real_worker
    start_daemon --device cpu
    run depthq doctor
    [ "$status" -eq 0 ] || { echo "$output"; false; }
    # this machine may be short of room, or have GPUs that its libtorch does not see
    [ -z "$(grep -E '^(wrong|warn)' <<<"$output" | grep -vE '^warn +(worker|state|limits) ')" ] || { echo "$output"; false; }
    for check in programs config environ daemon workers state database worker models limits clock service; do
        grep -qE "^[a-z]+ +$check " <<<"$output" || { echo "nothing of $check: $output"; false; }
    done
    [[ ${lines[-1]} == *" findings: 0 wrong, "* ]]
    grep -qE "^ok +daemon +answers at $PWD/state/socket " <<<"$output"
    if sees_locks; then
        grep -qE '^ok +database .*\(pid '"$daemon"'\) has it open' <<<"$output"
    fi
    [ "$(depthq doctor --json | json 'v["wrong"], v["exit_status"], sorted(v["findings"][0])')" = \
        "0 0 ['check', 'code', 'level', 'text', 'todo']" ]
    stop_daemon TERM
    before=$(everything)
    mkdir tmp
    TMPDIR=$PWD/tmp tells wrong daemon "nobody answers" 69
    grep -qE '^ok +database +sound, schema' <<<"$output"
    [ "$(everything)" = "$before" ]
    [ -z "$(ls tmp)" ]
}

@test "before the first start nothing is wrong: depthq run needs no queue" {
    unset DEPTHQ_STATE
    tells note daemon "no queue here.* — start it: depthqd" 0
    [[ $output == *"home/.local/state/depthq, "*"; it is made at the first start"* ]]
    [ ! -e home/.local ]
}

@test "a program that is missing or of another version" {
    rm bin/depthq-compare
    tells wrong programs "depthq-compare is not installed.* — install" 78
    cp "$BUILD/libexec/depthq/depthq-compare" bin/
    printf '#!/bin/sh\necho depthqd 0.0.1\n' >bin/depthqd
    tells wrong programs "depthqd says it is 'depthqd 0.0.1', not 'depthqd $(version_here)'" 78
}

@test "a configuration that is wrong is told with all its lines" {
    mkdir -p home/.config/depthq
    printf 'workers: none\nsokcet: /run/x\n' >home/.config/depthq/depthqd.yaml
    tells wrong config "depthqd.yaml:1:10: .* — mend it; depthqd --check-config" 78
    tells wrong config "depthqd.yaml:2:1: unknown key 'sokcet'"
    run depthq doctor --config nowhere.yaml
    [ "$status" -eq 78 ]
    grep -qE "^wrong +config +.*/nowhere.yaml: No such file.* — mend it" <<<"$output" || { echo "$output"; false; }
}

@test "roots that are not there, tokens that others may read, TCP without anybody" {
    mkdir -p home/.config/depthq shows
    : >file
    config=home/.config/depthq/depthqd.yaml
    printf 'roots: [%s/shows, %s/gone, %s/file]\n' "$PWD" "$PWD" "$PWD" >$config
    tells ok roots "$PWD/shows is there"
    tells warn roots "$PWD/gone: No such file.* — mount it, or take it out"
    tells warn roots "$PWD/file is no folder"
    echo "root admin $(printf '%064d' 7)" >tokens
    chmod 644 tokens
    printf 'listen: 127.0.0.1:1\ntokens: %s/tokens\n' "$PWD" >$config
    tells wrong config "depthqd.yaml:2:.*tokens is for others too .mode 0644.*— mend it" 78
    chmod 600 tokens
    tells ok tcp "asked over TCP at 127.0.0.1:1, by 1 tokens"
    mv $config later.yaml # what it was started without
    start_daemon
    mv later.yaml $config
    tells wrong tcp "is to listen at 127.0.0.1:1, and nobody does: Connection refused — start depthqd anew" 69
    printf 'listen: 0.0.0.0:1\ntokens: %s/tokens\nhosts: farm01\n' "$PWD" >$config
    kill_daemon
    tells warn tcp "asked over TCP at 0.0.0.0:1, and nothing is encrypted — only in a network"
}

@test "clients ask elsewhere than the configured daemon listens" {
    unset DEPTHQ_STATE
    mkdir -p home/.config/depthq
    printf 'state: %s/state\nsocket: %s/here\n' "$PWD" "$PWD" >home/.config/depthq/depthqd.yaml
    depthqd 2>>daemon.log 3>&- &
    daemon=$!
    until_true depthq workers --socket here
    tells warn config "clients ask at .*, .* listen at $PWD/here — export DEPTHQ_SOCKET=$PWD/here" 69
    tells wrong daemon "nobody answers at .* — one is at $PWD/here: export DEPTHQ_SOCKET=$PWD/here"
    DEPTHQ_SOCKET=$PWD/here tells ok daemon "answers at $PWD/here"
}

@test "nobody knows where anything is" {
    run env -u HOME -u DEPTHQ_STATE depthq doctor
    [ "$status" -eq 78 ]
    grep -qE '^wrong +daemon +nobody knows where its socket is to be — set HOME' <<<"$output" || { echo "$output"; false; }
    grep -qE '^wrong +state +nobody knows where the database is to be — set HOME' <<<"$output"
}

@test "variables that are misspelt, relative, or better not set" {
    DEPTHQ_MODLES=/x tells warn environ "DEPTHQ_MODLES is set.* — did you mean DEPTHQ_MODELS" 69
    DEPTHQ_STATE=there tells wrong environ "DEPTHQ_STATE=there is not absolute, so it is ignored" 78
    DQ_FAULT=publish.rename:99 tells warn environ "DQ_FAULT=publish.rename:99.* — unset"
    OCIO=$PWD/none.ocio tells warn environ "OCIO=.*none.ocio: No such file"
    OCIO=ocio://default tells ok environ "nothing odd"
}

@test "a state folder that is a file, that others may write, or that is not ours" {
    : >state
    tells wrong state "$PWD/state is no folder" 73
    rm state
    mkdir -m 777 state
    tells warn state "can be written by others .mode 777. — chmod 750 $PWD/state"
    chmod 755 state
    [ "$(id -u)" = 0 ] || skip "only root can tell of somebody else's folder"
    as_nobody "PATH='$PATH' DEPTHQ_STATE='$PWD/state' depthq doctor"
    grep -qE "^note +state .* is of user 0, so you are not told more — sudo -u '#0' depthq doctor --state" <<<"$output" || { echo "$output"; false; }
}

@test "a state folder that cannot be made or written" {
    mkdir -m 555 closed
    as_nobody "PATH='$PATH' DEPTHQ_STATE='$PWD/closed/state' depthq doctor"
    [ "$status" -eq 77 ]
    grep -qE "^wrong +state +$PWD/closed cannot be written to: Permission denied — mend its rights" <<<"$output" || { echo "$output"; false; }
}

@test "a state folder on a full disk, or one that will be full soon" {
    [ "$(id -u)" = 0 ] || skip "needs root to mount"
    mkdir state
    mount -t tmpfs -o size=8m none state 2>/dev/null || skip "may not mount"
    mounted=$PWD/state
    chmod 750 state
    tells wrong state "its disk is full: [0-9]* MiB are free — make room" 75
    mount -o remount,size=500m "$mounted"
    tells warn state "only [0-9.]* MiB are free — make room" 69
}

@test "a database that is damaged, newer, or another program's" {
    a_queue
    cp state/queue.db sound.db
    printf 'no database' | dd of=state/queue.db conv=notrunc status=none
    tells wrong database "damaged.* — move queue.db-wal away and put the last backup" 74
    # tells of every page, not of the first alone
    cp sound.db state/queue.db
    dd if=/dev/zero of=state/queue.db bs=4096 seek=3 count=4 conv=notrunc status=none
    tells wrong database "damaged" 74
    sqlite 'PRAGMA user_version = 99'
    tells wrong database "of schema 99, from a newer depthq; .* — .*install the depthq that made it" 78
    sqlite 'PRAGMA application_id = 7'
    tells wrong database "another program's database" 78
}

# sqlite SQL: upon a sound database
sqlite() {
    rm -f state/queue.db-*
    cp sound.db state/queue.db
    "${PYTHON:-python3}" -c 'import sqlite3, sys
db = sqlite3.connect("state/queue.db")
db.execute(sys.argv[1])
db.close()' "$1"
}

@test "a database that is gone, in whole or in part" {
    a_queue
    mv state/queue.db away
    tells wrong database "queue.db is gone or empty, but a queue was here" 74
    mv away state/queue.db
    start_daemon
    kill_daemon
    tells note database "the last daemon was killed"
    grep -qE '^ok +database +sound' <<<"$output"
    rm state/queue.db-wal
    tells wrong database "queue.db-wal is gone: the last commits are lost" 74
}

@test "a database of which no copy can be made" {
    a_queue
    TMPDIR=$PWD/nowhere tells warn database "was not looked at: .*/nowhere/.*: No such file.* — .* TMPDIR" 69
}

@test "a daemon that is not there: how to start it" {
    a_queue
    tells wrong daemon "nobody answers at $PWD/state/socket.* — start it: depthqd" 69
    tells note service "no systemd unit"
    mkdir units
    : >units/depthqd.service
    tells wrong daemon "— systemctl start depthqd; journalctl" 69
    tells note service "systemd knows depthqd: $PWD/units/depthqd.service"
}

@test "a socket that a dead daemon left, that is none, or that all may use" {
    start_daemon
    chmod 666 state/socket
    tells warn daemon "everybody may ask at $PWD/state/socket .mode 666. — chmod 660" 0
    kill_daemon
    tells wrong daemon "its socket is one that a dead depthqd left behind — start it" 69
    rm state/socket
    : >state/socket
    tells wrong daemon "$PWD/state/socket is no socket, and in its place — move it away" 73
}

@test "a socket to which one has no right" {
    [ "$(id -u)" = 0 ] || skip "needs root to be somebody else"
    start_daemon
    chmod 755 state
    chgrp 1 state/socket
    as_nobody "PATH='$PATH' DEPTHQ_SOCKET='$PWD/state/socket' depthq doctor"
    [ "$status" -eq 77 ]
    grep -qE "^wrong +daemon +you have no right to $PWD/state/socket .mode 660. — usermod -aG $(stat -c %G state/socket) nobody" <<<"$output" || { echo "$output"; false; }
}

@test "a daemon that works here, and listens elsewhere" {
    depthqd --state state --socket other 2>>daemon.log 3>&- &
    daemon=$!
    until_true depthq workers --socket other
    sees_locks || skip "/proc/locks does not show who has a lock"
    tells wrong database "a depthqd .pid $daemon. works in $PWD/state, but does not answer at $PWD/state/socket" 69
}

# served VERSION [STATE]: something that answers as a daemon of VERSION would;
# none: it hangs up
served() {
    mkdir -p state
    "${PYTHON:-python3}" - "$1" >server.log 2>&1 3>&- <<'PY' &
import json, os, socket, sys
at = socket.socket(socket.AF_UNIX)
at.bind("state/s")
at.listen(16)
os.rename("state/s", "state/socket")  # it is seen when it can be asked
while True:
    one, _ = at.accept()
    asked = one.recv(65536).decode()
    if not asked:
        continue
    body = json.dumps({"status": "ok", "version": sys.argv[1]} if "/healthz" in asked else {"workers": [], "jobs": [], "next": None})
    if sys.argv[1] != "none":
        one.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    one.close()
PY
    server=$!
    until_true test -S state/socket
}

@test "a daemon of another version" {
    served 0.0.1
    tells warn daemon "is depthqd 0.0.1, this is depthq .* — start it anew" 0
}

@test "a daemon that hangs up" {
    served none
    tells wrong daemon "did not answer: .* — look into its log" 69
}

@test "workers that cannot work, are drained, or have died" {
    printf '#!/bin/sh\necho no driver >&2\nexit 1\n' >bin/depthq-worker
    start_daemon
    until_true tells wrong workers "worker 1 on auto was given up: .*no driver" 69
    tells wrong worker "depthq-worker --check --device auto ended with status 1 — " 69
    kill_daemon
    played_worker
    start_daemon
    tells ok workers "worker 1 is "
    depthq workers drain 1
    until_true tells note workers "worker 1 on auto is drained — depthq workers resume 1"
    depthq workers resume 1
    until_true is_ready
    kill -9 "$(depthq workers --json | json 'v["workers"][0]["pid"]')"
    until_true tells warn workers "worker 1 died .1 in all., the last time: signal 9"
}

is_ready() { depthq workers | grep -q idle; }

@test "a worker that does not start, is of another version, or finds no device" {
    printf '#!/bin/sh\nkill -SEGV $$\n' >bin/depthq-worker
    tells wrong worker "ended with signal 11" 78
    worker_says '"code": "OK", "text": ""' 0.0.1
    tells wrong worker "depthq-worker is 0.0.1, this is" 78
    worker_says '"code": "OK", "text": ""'
    sed -i 's/"torch": "2"/"torch": null/' bin/depthq-worker
    tells warn worker "without libtorch"
    mkdir -p home/.config/depthq
    echo 'device: [cpu, "cuda:99"]' >home/.config/depthq/depthqd.yaml
    real_worker
    run depthq doctor
    grep -qE "^wrong +worker +there is no device 'cuda:99'.* — nvidia-smi" <<<"$output" || { echo "$output"; false; }
    [ "$(grep -cE '^[a-z]+ +worker ' <<<"$output")" -ge 2 ]
}

@test "libtorch is not where it was" {
    with_torch
    rm bin/libdq_torch.so
    real_worker
    tells wrong worker "libdq_torch.so is not installed.* — set depthq up again" 78
    printf 'no library' >bin/libdq_torch.so
    chmod +x bin/libdq_torch.so
    tells wrong worker "cannot load .*libdq_torch.so"
}

@test "models that are cut, altered, or meant by nothing" {
    cp library/net.fake whole
    truncate -s 10 library/net.fake
    tells wrong models "net.fake has 10 bytes, not" 65
    sed 's/identity/identitx/' whole >library/net.fake
    tells wrong models "net@1: .*net.fake is not the file that was added: its SHA-256 is .* — depthq models add" 65
    cp whole library/net.fake
    depthq models alias net@test=1
    cp library/net@1.json manifest
    sed 's/"version": "1"/"version": "2"/' manifest >library/net@2.json
    depthq models alias net@new=2
    tells ok models "2 in the library"
    rm library/net@2.json
    tells wrong models "alias net@new: .* — depthq models alias net@new=VERSION" 65
    DEPTHQ_MODELS=$PWD/library:$PWD/nowhere tells warn models "$PWD/nowhere: No such file.* — .*DEPTHQ_MODELS"
    rm -r library
    tells wrong models "the model library is empty" 65
}

@test "outputs of jobs that are not over: full storage, frames that wait for room" {
    [ "$(id -u)" = 0 ] || skip "needs root to mount"
    played_worker
    mkdir plate depth
    echo plate >plate/p.1001.exr
    job 1001
    sed -i 's|^model: .*|model: net|' shot.yaml
    FAKE_WORKER="*=fail:FULL" start_daemon
    depthq submit shot.yaml
    until_true tells warn outputs "1 frames of job 1 wait for room — make room"
    tells ok outputs "job 1 writes to $PWD/depth, .* are free"
    mount -t tmpfs -o size=8m none depth 2>/dev/null || skip "may not mount"
    mounted=$PWD/depth
    run depthq doctor
    grep -qE "^wrong +outputs +job 1 writes to $PWD/depth: .* its disk is full.* — make room" <<<"$output" || { echo "$output"; false; }
}

@test "outputs of jobs that are not over: no right to write" {
    mkdir plate closed
    echo plate >plate/p.1001.exr
    job 1001
    sed -i "s|^model: .*|model: net|; s|depth/d|$PWD/closed/depth/d|" shot.yaml
    chmod 555 closed
    as_nobody "PATH='$PATH' DEPTHQ_STATE='$PWD/state' HOME='$PWD/home' DEPTHQ_MODELS='$DEPTHQ_MODELS'
export PATH DEPTHQ_STATE HOME DEPTHQ_MODELS
depthq submit --autostart --hold shot.yaml || exit
depthq doctor
status=\$?
kill \$(depthq doctor --json | grep -oE 'pid [0-9]+' | head -n 1 | cut -d ' ' -f 2)
exit \$status"
    [ "$status" -eq 77 ] || { echo "$status: $output"; false; }
    grep -qE "^wrong +outputs +job 1 writes to $PWD/closed/depth: $PWD/closed cannot be written to: Permission denied — mend it, then depthq retry" <<<"$output" || { echo "$output"; false; }
}

@test "limits of the process, and a clock that went back" {
    (ulimit -n 100 && tells warn limits "may open only 100 files — ulimit -n")
    (ulimit -f 1048576 && tells warn limits "no file may become larger than 1.0 GiB — ulimit -f")
    touch -d '2 days' bin/depthq-doctor
    tells warn clock "before this very program was installed — set it"
}

@test "the doctor's own usage" {
    run depthq doctor --jsno
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean '--json'"* ]]
    run depthq doctor what
    [ "$status" -eq 2 ]
}
