# The verbs of the queue, with a daemon whose workers play a script
# (tests/tools/fake_worker.c). DEPTHQ_BUILD is the build to test.

bats_require_minimum_version 1.5.0

setup() {
    load queue
    cd "$BATS_TEST_TMPDIR"
    scripted_workers
    shot a
}

teardown() { kill_daemon; }

shot() { # NAME [LINE]: NAME.yaml
    cat > "$1.yaml" <<YAML
depthq: 1
plate: plate/p.####.exr
model: net
output:
  path: depth/$1.####.exr
retries: 0
${2:-}
YAML
}

script() { export FAKE_WORKER="$*"; }

@test "a shot is submitted, watched, and told of" {
    start_daemon
    run --separate-stderr depthq submit a.yaml
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    [ "$stderr" = "job 1: a, 10 frames, to $PWD/depth/a.####.exr" ]
    run --separate-stderr depthq watch 1
    [ "$status" -eq 0 ]
    [ "${stderr_lines[-1]}" = "a: job 1 done: done 10, to $PWD/depth/a.####.exr" ]
    run depthq status
    [ "${lines[0]}" = "JOB  NAME  PRIO  USER  STATE  FRAMES  FAILED  WHY" ]
    [[ "${lines[1]}" == "  1  a       50  "*"  done    10/10" ]]
    run depthq status a
    [[ "$output" == *"model      net@1 ("* ]]
    run depthq status 1 --frames done
    [ "${#lines[@]}" -eq 11 ]
    [ "${lines[1]}" = " 1001  done         1     1.00" ]
    run depthq logs 1 1003
    [[ "${lines[1]}" == "      1  20"*"  finish     1.00" ]]
    run depthq logs 1
    [[ "${lines[0]}" == *" submit 10 frames by $(id -un): a" ]]
    [[ "$output" == *" finish frame 1010, attempt 1 (running to done)"* ]]
    run depthq workers
    [[ "${lines[1]}" == *"idle"*"fake" ]]
}

@test "programs get JSON" {
    start_daemon
    run --separate-stderr depthq submit --json a.yaml
    [ "$output" = '{"file":"a.yaml","job":1,"name":"a","fresh":true}' ]
    run --separate-stderr depthq watch 1 --json
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ "${lines[-1]}" == *'"event":"summary","exit_status":0,"job":{"id":1,'* ]]
    [ "$(depthq status 1 --frames --json | grep -o '"frame":[0-9]*' | wc -l)" -eq 10 ]
    [ "$(depthq logs 1 --json | wc -l)" -gt 20 ]
    [[ "$(depthq logs 1 1001 --json)" == '{"attempt":1,'* ]]
    [[ "$(depthq workers --json)" == '{"workers":['* ]]
    run --separate-stderr depthq cancel 1 --json
    [ "$status" -eq 2 ]
    [[ "$output" == '{"jobs":[{"job":1,"name":"a","error":{"code":"STATE",'*'"retryable":false}}]}' ]]
    run --separate-stderr depthq status 99 --json
    [ "$status" -eq 66 ]
    [ "$output" = '{"error":{"code":"MISSING","message":"there is no job 99","retryable":false}}' ]
}

@test "without a daemon every verb names the socket and the remedy" {
    for verb in "submit a.yaml" status "watch 1" "logs 1" "retry 1" "cancel 1" "pause 1" \
        "resume 1" "priority 5 1" "eat 1" "rm 1" workers; do
        # shellcheck disable=SC2086 # words
        run depthq $verb
        [ "$status" -eq 69 ]
        [[ "$output" == *"no depthqd answers at $PWD/state/socket; start it with: depthqd"* ]]
    done
    run depthq status --socket /nowhere/s
    [[ "$output" == *"no depthqd answers at /nowhere/s;"* ]]
}

@test "submit starts a daemon when told to" {
    run --separate-stderr depthq submit a.yaml --autostart
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    [[ "$stderr" == *"its log is $PWD/state/depthqd.log"* ]]
    daemon=$(pgrep -f "$PWD/bin/depthqd")
    depthq watch 1
    run --separate-stderr depthq submit --key k --autostart a.yaml
    [ "$output" = 2 ]
    [[ "$stderr" != *"is started"* ]]
    [ "$(pgrep -fc "$PWD/bin/depthqd")" -eq 1 ]
}

@test "a daemon that was started is where the socket was named and keeps nothing of ours open" {
    run --separate-stderr depthq submit --hold a.yaml --autostart --socket near/s 7< a.yaml
    daemon=$(pgrep -f "$PWD/bin/depthqd" || true)
    [ "$status" -eq 0 ]
    [[ "$stderr" == *"its log is $PWD/near/depthqd.log"* ]]
    [ -S near/s ]
    run readlink /proc/"$daemon"/fd/{0..99}
    [[ "$output" == *"$PWD/near/depthqd.log"* ]]
    [[ "$output" != *"$PWD/a.yaml"* ]]
}

@test "job files are checked before any is sent" {
    start_daemon
    shot b 'fraems: 1001-1010'
    run depthq submit a.yaml b.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == "b.yaml:7:1: unknown key 'fraems' (did you mean 'frames'?)"* ]]
    shot c 'frames: 1001-1012'
    run depthq submit a.yaml c.yaml
    [ "$status" -eq 66 ]
    [[ "$output" == *"plate: $PWD/plate/p.####.exr has no frame 1011-1012"* ]]
    shot d
    sed -i 's|plate/p|plates/p|' d.yaml
    run depthq submit a.yaml d.yaml
    [ "$status" -eq 66 ]
    run depthq submit nothing.yaml
    [ "$status" -eq 66 ]
    [ "$(depthq status --json)" = '{"jobs":[]}' ]
    run --separate-stderr depthq submit c.yaml --unchecked
    [ "$status" -eq 0 ]
    [[ "$stderr" == "job 1: c, 12 frames,"* ]]
}

@test "programs get a line a file, whatever is wrong with which" {
    start_daemon
    shot b 'fraems: 1001-1010'
    shot c 'frames: 1001-1012'
    run --separate-stderr depthq submit --json b.yaml a.yaml c.yaml
    [ "$status" -eq 65 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ "${lines[0]}" == '{"file":"b.yaml","job":null,"error":{"code":"SPEC",'*'"problems":[{"line":7,"column":1,'* ]]
    [ "${lines[1]}" = '{"file":"a.yaml","job":null}' ]
    [[ "${lines[2]}" == '{"file":"c.yaml","job":null,"error":{"code":"MISSING",'*'"problems":[]}' ]]
    depthq submit --hold a.yaml
    shot d
    run --separate-stderr depthq submit --json d.yaml a.yaml
    [ "$status" -eq 73 ]
    [ "${lines[0]}" = '{"file":"d.yaml","job":2,"name":"d","fresh":true}' ]
    [[ "${lines[1]}" == '{"file":"a.yaml","job":null,"error":{"code":"EXISTS",'* ]]
}

# A daemon of another release may know better what is wrong.
@test "what the daemon finds wrong with a job file is shown line by line" {
    cat > strict.py <<'PY'
import re, socket
server = socket.socket(socket.AF_UNIX)
server.bind("strict")
server.listen(4)
BODY = (b'{"error": {"code": "SPEC", "message": "a.yaml:3:8: no"}, "problems":'
        b' [{"line": 3, "column": 8, "text": "no such net"}, {"line": 4, "column": 1, "text": "and no output"}]}')
while True:
    client, _ = server.accept()
    heard = b""
    while not (m := re.search(rb"(?i)content-length: (\d+).*?\r\n\r\n(.*)", heard, re.S)) or len(m[2]) < int(m[1]):
        heard += client.recv(65536)
    client.sendall(b"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nConnection: close\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
    client.close()
PY
    "${PYTHON:-python3}" strict.py 3>&- &
    daemon=$!
    until_true test -S strict
    run depthq submit --socket "$PWD/strict" a.yaml
    [ "$status" -eq 65 ]
    [ "$output" = "a.yaml:3:8: no such net
     3 | model: net
       |        ^
a.yaml:4:1: and no output
     4 | output:
       | ^" ]
    run --separate-stderr depthq submit --json --socket "$PWD/strict" a.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == '{"file":"a.yaml","job":null,"error":{"code":"SPEC",'*'"problems":[{"line":3,"column":8,"text":"no such net"},{"line":4,'* ]]
}

@test "a daemon that may not be asked is not started once more" {
    load helpers
    export DEPTHQ_SOCKET=$PWD/sock BUILD=$PWD
    start_daemon
    chmod 0 sock
    as_nobody "DEPTHQ_SOCKET=$PWD/sock exec $PWD/bin/depthq submit --autostart a.yaml"
    [ "$status" -eq 77 ]
    [[ "$output" == *"you have no right to the daemon's socket $PWD/sock; "* ]]
    [ ! -e depthqd.log ]
    chmod 0600 sock
    [ "$(depthq status --json)" = '{"jobs":[]}' ]
}

@test "an artist changes own jobs alone, and is told who may more" {
    [ "$(id -u)" = 0 ] || skip "needs root, to become somebody else"
    load helpers
    export DEPTHQ_SOCKET=$PWD/sock BUILD=$PWD
    printf 'roots: [%s]\nlimit-jobs: 1\n' "$(pwd -P)" >depthqd.yaml
    start_daemon --config depthqd.yaml
    chmod 0666 sock
    depthq submit --hold a.yaml
    as_nobody "export DEPTHQ_SOCKET=$PWD/sock; exec $PWD/bin/depthq cancel 1"
    [ "$status" -eq 77 ]
    [[ "$output" == *"job 1 is of user $(id -u): only they, or a wrangler, may change it"* ]]
    as_nobody "export DEPTHQ_SOCKET=$PWD/sock; exec $PWD/bin/depthq workers drain 1"
    [ "$status" -eq 77 ]
    [[ "$output" == *"only the role wrangler may drain or resume workers"* ]]
    is_state 1 held
    shot b
    as_nobody "export DEPTHQ_SOCKET=$PWD/sock; exec $PWD/bin/depthq submit --hold b.yaml"
    [ "$status" -eq 0 ]
    as_nobody "export DEPTHQ_SOCKET=$PWD/sock; exec $PWD/bin/depthq submit --hold b.yaml"
    [ "$status" -eq 75 ]
    [[ "$output" == *"1 is the most (limit-jobs): wait until some is done, cancel"* ]]
    as_nobody "export DEPTHQ_SOCKET=$PWD/sock; exec $PWD/bin/depthq cancel 2"
    [ "$status" -eq 0 ]
    is_state 2 canceled
}

@test "a dry run tells and sends nothing" {
    run depthq submit -n a.yaml
    [ "$status" -eq 0 ]
    [ "${lines[2]}" = "frames  1001-1010 (10)" ]
    [ "${lines[5]}" = "Nothing was sent." ]
}

@test "a model that is not registered is not allowed" {
    start_daemon
    shot b
    sed -i 's|model: net|model: ./net.pt|' b.yaml
    run depthq submit b.yaml
    [ "$status" -eq 77 ]
    [[ "$output" == *"registered"* ]]
    sed -i 's|model: ./net.pt|model: nett|' b.yaml
    run depthq submit b.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == *"net"* ]]
}

@test "a job comes from standard input, many from files" {
    start_daemon
    shot b
    run --separate-stderr bash -c 'depthq submit - < a.yaml'
    [ "$output" = 1 ]
    depthq watch 1
    run --separate-stderr depthq submit a.yaml b.yaml --priority 70
    [ "$output" = $'2\n3' ]
    [ "$(member 2 priority)" = 70 ]
}

@test "two jobs for the same files: the second is refused and names the first" {
    start_daemon
    depthq submit --hold a.yaml
    run depthq submit a.yaml
    [ "$status" -eq 73 ]
    [[ "$output" == *"is being made by job 1 (a)"* ]]
}

@test "the same key makes the same job once" {
    start_daemon
    run --separate-stderr depthq submit --key k --hold a.yaml
    [ "$output" = 1 ]
    run --separate-stderr depthq submit --key k --hold a.yaml
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    [[ "$stderr" == *"(it was here already)" ]]
    run depthq submit --key k a.yaml
    [ "$status" -eq 2 ]
    [[ "$output" == *"key came before, with another job: 1"* ]]
    [ "$(depthq status --json | grep -o '"id":' | wc -l)" -eq 1 ]
}

@test "watch ends as the job does" {
    script "1004=fail:PLATE 1007=fail:PLATE"
    start_daemon
    run --separate-stderr depthq submit a.yaml --watch
    [ "$status" -eq 1 ]
    [ "$output" = 1 ]
    [[ "$stderr" == *'frame=1004 state=failed attempt=1 code=PLATE error="/plate/p.1004.exr: scripted PLATE"'* ]]
    [ "${stderr_lines[-1]}" = "a: job 1 failed: done 8, failed 2, to $PWD/depth/a.####.exr" ]
    run depthq status 1
    [[ "$output" == *"failed     1004,1007: /plate/p.1004.exr: scripted PLATE"* ]]
    run depthq watch 1
    [ "$status" -eq 1 ]
    stop_daemon TERM
    [ "$status" -eq 0 ]

    script "*=fail:PLATE"
    start_daemon
    run depthq submit a.yaml --watch
    [ "$status" -eq 65 ]
    stop_daemon TERM

    script "survey=fail:MISSING"
    start_daemon
    run depthq submit a.yaml --watch
    [ "$status" -eq 66 ]
    [[ "$(depthq status 3)" == *"error      /plate/p.0000.exr: scripted MISSING"* ]]
    depthq submit --hold a.yaml
    depthq cancel 4
    run depthq watch 4
    [ "$status" -eq 75 ]
}

@test "a job whose first frames all fail the same way stops early and says so" {
    export FAKE_LOG=$PWD/begun
    script "*=fail:PLATE credit=1"
    start_daemon
    run depthq submit a.yaml --watch
    [ "$status" -eq 65 ]
    [[ "$output" == *"5 frames failed: not tried, for the first 5 frames failed alike (retry begins anew): /plate/p.1003.exr: scripted PLATE"* ]]
    [ "$(wc -l < begun)" -eq 6 ]
    [[ "$(depthq status 1)" == *"failed     1004-1005,1007-1009: not tried, "* ]]
    [ "$(member 1 state)" = failed ]
}

@test "failed frames begin anew, and some are given up" {
    script "1004@1=fail:PLATE 1007=fail:PLATE"
    start_daemon
    shot b
    run depthq submit a.yaml b.yaml --watch
    run depthq retry --failed --user me
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "job 1 (a): begins anew, 2 frames" ]
    [ "${lines[1]}" = "job 2 (b): begins anew, 2 frames" ]
    run depthq watch 1 2
    [ "$status" -eq 1 ]
    [ "$(member 1 counts failed)" = 1 ]
    [ "$(depthq logs 1 1004 | wc -l)" -eq 3 ]
    run depthq retry 1 --frames 1001
    [ "$status" -eq 2 ]
    [[ "$output" == *"frame 1001 is done: no retry (reprocess makes a done frame again)"* ]]
    run depthq eat a
    [ "$output" = "job 1 (a): failed frames are given up, 1 frame" ]
    depthq watch 1
    [ "$(member 1 state)" = done ]
    run depthq rm --state done
    [ "$output" = "job 1 (a): forgotten" ]
    run depthq status 1
    [ "$status" -eq 66 ]
    run depthq rm --state done
    [ "$status" -eq 0 ]
    [[ "$output" == *"no such job now" ]]
}

@test "jobs are held, paused and resumed, and not when that means nothing" {
    start_daemon
    shot b
    shot c
    depthq submit --hold a.yaml b.yaml
    [ "$(member 1 reason)" = "held until somebody resumes it" ]
    depthq submit --after 2 c.yaml
    [ "$(member 3 after)" = 2 ]
    run depthq pause c
    [ "$output" = "job 3 (c): paused" ]
    run depthq pause c
    [[ "$output" == *"no such job now" ]]
    run depthq pause 3
    [ "$status" -eq 0 ]
    run depthq resume --all
    [ "${#lines[@]}" -eq 3 ]
    depthq watch 1 2 3
    run depthq cancel '*'
    [[ "$output" == *"no such job now" ]]
    run depthq cancel 2
    [ "$status" -eq 2 ]
    [[ "$output" == *"job 2 is over: nothing is left to cancel"* ]]
    run depthq resume d
    [ "$status" -eq 66 ]
    [[ "$output" == *"there is no job 'd'"* ]]
    run depthq pause
    [ "$status" -eq 2 ]
    [[ "$output" == "depthq pause: which job?"* ]]
}

@test "users, states and failures narrow what numbers mean" {
    start_daemon
    shot b
    depthq submit --hold a.yaml b.yaml
    run depthq cancel 1-2 --state done --user 12345
    [ "$status" -eq 0 ]
    [ "$output" = "depthq cancel: there is no such job now" ]
    for wish in "--user 12345" "--state done" --failed; do
        # shellcheck disable=SC2086 # words
        run depthq cancel 1 2 $wish
        [ "$output" = "depthq cancel: there is no such job now" ]
        # shellcheck disable=SC2086 # words
        [ "$(depthq status 1-2 $wish)" = "no jobs" ]
    done
    [ "$(member 1 state) $(member 2 state)" = "held held" ]
    run depthq cancel 1-2 --state held --user me
    [[ "${lines[0]} ${lines[1]}" == "job 1 (a): canceled"*" job 2 (b): canceled"* ]]
}

@test "an id that no job has is told, and the others go on" {
    start_daemon
    shot b
    depthq submit --hold a.yaml b.yaml
    run --separate-stderr depthq status 1-5
    [ "$status" -eq 66 ]
    [ "${#lines[@]}" -eq 3 ]
    [ "$stderr" = "depthq status: there is no job 3-5" ]
    run --separate-stderr depthq cancel 7 1-3 9
    [ "$status" -eq 66 ]
    [ "${#lines[@]}" -eq 2 ]
    [ "$stderr" = "depthq cancel: there is no job 3,7,9" ]
    [ "$(member 1 state) $(member 2 state)" = "canceled canceled" ]
    run --separate-stderr depthq rm 1-3 --json
    [ "$status" -eq 66 ]
    [[ "$output" == '{"jobs":[{"error":{"code":"MISSING","message":"there is no job 3",'*'},{"job":1,"name":"a","moved":'*'},{"job":2,'* ]]
    run depthq cancel 1-3
    [ "$status" -eq 66 ]
    [ "$output" = "depthq cancel: there is no job 1-3" ]
}

@test "a job that is named by a number is found by it, and no other in its place" {
    start_daemon
    shot 0001
    shot 1
    shot 12-15
    shot 2-3
    depthq submit --hold a.yaml 0001.yaml 1.yaml 12-15.yaml 2-3.yaml
    run depthq pause 0001
    [[ "$output" == "job 2 (0001): paused"* ]]
    run depthq pause 12-15
    [[ "$output" == "job 4 (12-15): paused"* ]]
    run depthq pause 1
    [ "$status" -eq 2 ]
    [[ "$output" == *"'1' is an id, and the name of job 3: say 3 for that one, 1-1 for the id"* ]]
    run depthq pause 2-3
    [[ "$output" == *"say 5 for that one, 2-3x1 for the id"* ]]
    [ "$(depthq status 2-3x1 | wc -l)" -eq 3 ]
    run depthq pause 0004
    [ "$status" -eq 2 ]
    [[ "$output" == *"'0004' is no job's name, and an id has no zeros in front: 4"* ]]
    [ "$(member 1-1 state) $(member 3 state)" = "held held" ]
    run depthq pause 3,1-1
    [ "$status" -eq 0 ]
    [ "$(member 1-1 state) $(member 3 state)" = "paused paused" ]
}

# The only worker hangs until all is said; then it is killed.
@test "jobs go in the order of their priority, and after others" {
    export FAKE_LOG=$PWD/begun
    script "2001@1=hang credit=1"
    start_daemon
    touch plate/p.2001.exr
    shot first 'frames: 2001'
    sed -i 's|retries: 0|retries: 1|' first.yaml
    depthq submit first.yaml --priority 100
    until_true grep -q ' 2001 1$' begun
    for name in low high last; do shot $name 'frames: 1001-1010'; done
    depthq submit low.yaml high.yaml
    depthq submit last.yaml --priority 100 --after low
    run depthq priority 90 high
    [ "$output" = "job 3 (high): has priority 90" ]
    kill -9 "$(cut -d ' ' -f 1 begun | tail -n 1)"
    depthq watch 1 2 3 4
    begun() { depthq logs "$1" --json | grep -m 1 '"verb":"claim"' | sed 's/{"id":\([0-9]*\).*/\1/'; }
    [ "$(begun 3)" -lt "$(begun 2)" ]
    [ "$(begun 2)" -lt "$(begun 4)" ]
}

@test "a worker is drained, and wanted again" {
    export FAKE_LOG=$PWD/begun
    start_daemon --workers 2
    run depthq workers drain 2
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    until_true eval '[[ $(depthq workers) == *" drained  "* ]]'
    depthq submit a.yaml --watch
    [ "$(cut -d ' ' -f 1 begun | sort -u | wc -l)" -eq 1 ]
    depthq workers resume 1 2
    until_true eval '[ "$(depthq workers | grep -c " idle ")" -eq 2 ]'
    run depthq workers log # each change once, and whose it was
    [ "${#lines[@]}" -eq 2 ]
    [[ "${lines[0]}" == *" drain (wanted to drained) by $(id -un): worker 2 on auto" ]]
    [[ "${lines[1]}" == *" resume (drained to wanted) by $(id -un): worker 2 on auto" ]]
    run depthq logs 0
    [ "$status" -eq 66 ]
    [[ "$output" == *"there is no job 0"* ]]
    run depthq workers drain 3
    [ "$status" -eq 66 ]
    [[ "$output" == *"there is no worker 3"* ]]
    run depthq workers drian 1
    [ "$status" -eq 2 ]
    [[ "$output" == *"(did you mean 'drain'?)"* ]]
    for words in drain "drain x" "log 1"; do
        # shellcheck disable=SC2086 # words
        run depthq workers $words
        [ "$status" -eq 2 ]
    done
}

@test "cancel drops what hangs" {
    script "1003=hang"
    sed -i 's|retries: 0|retries: 20|' a.yaml # on a busy machine all are slow
    start_daemon --stall 5 # silence, for a hung worker
    depthq submit a.yaml
    until_true eval '[ "$(member 1 counts running)" -ge 1 ]'
    depthq cancel 1
    run depthq watch 1
    [ "$status" -eq 75 ]
    run depthq logs 1 -f
    [ "$status" -eq 0 ]
    [[ "$output" == *"wish"*"by $(id -un)"* ]]
}

@test "who watches is not left alone when the daemon is started again" {
    script "1005@1=hang"
    start_daemon
    depthq submit a.yaml
    depthq watch 1 2> said 3>&- &
    watcher=$!
    depthq logs 1 -f > log 3>&- &
    logger=$!
    until_true eval '[ "$(member 1 counts running)" -ge 1 ]'
    until_true grep -q claim log
    stop_daemon KILL
    until_true grep -q 'waiting for it' said
    start_daemon
    wait "$watcher"
    grep -q 'depthqd is back' said
    tail -n 1 said | grep -q 'job 1 done: done 10'
    wait "$logger"
    [ "$(grep -c ' finish frame ' log)" -eq 10 ]
}

@test "mistyped words are met with those that were meant" {
    run depthq sumbit a.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq: there is no command 'sumbit' (did you mean 'submit'?)" ]
    check() { # OPTION MEANT COMMAND
        run depthq "$3" "$1" 1
        [ "$status" -eq 2 ]
        [ "${lines[0]}" = "depthq $3: there is no option '$1' (did you mean '$2'?)" ]
        [ "${lines[1]}" = "Try: depthq $3 --help" ]
    }
    check --wacth --watch submit
    check --farmes --frames status
    check --jsno --json watch
    check --folow --follow logs
    check --faild --failed retry
    check --uesr --user cancel
    check --sate --state pause
    check --jsno --json workers
    run depthq status --state actve
    [ "$status" -eq 2 ]
    [[ "$output" == *"there is no state 'actve' of jobs (did you mean 'active'?)"* ]]
    run depthq status 1 --frames=dnoe
    [ "$status" -eq 2 ]
    run depthq retry 1 --frames 5-1
    [ "$status" -eq 2 ]
    run depthq submit --priority 101 a.yaml
    [ "$status" -eq 2 ]
    run depthq priority a
    [ "$status" -eq 2 ]
    run depthq status --user nobody-of-that-name
    [ "$status" -eq 2 ]
    run depthq status --watch
    [ "$status" -eq 2 ]
    [[ "$output" == *"depthq watch"* ]]
}

@test "the daemon's configuration is shown, checked and obeyed" {
    depthqd --print-config > conf.yaml
    grep -q '^#workers: 1$' conf.yaml
    run depthqd --config conf.yaml --check-config
    [ "$status" -eq 0 ]
    [ "$output" = "$PWD/conf.yaml: ok" ]
    printf 'wrokers: 2\nthreads: x\n' > bad.yaml
    run depthqd --config bad.yaml --check-config
    [ "$status" -eq 78 ]
    [ "${lines[0]}" = "depthqd: $PWD/bad.yaml:1:1: unknown key 'wrokers' (did you mean 'workers'?)" ]
    [ "${lines[1]}" = "depthqd: $PWD/bad.yaml:2:10: --threads is 1 to 1024, not 'x'" ]
    run depthqd --config bad.yaml
    [ "$status" -eq 78 ]
    echo 'device: [cpu, cpu, cpu]' > conf.yaml
    start_daemon --config conf.yaml
    [ "$(depthq workers | wc -l)" -eq 4 ]
}

@test "each verb's help begins with examples" {
    for verb in submit status watch logs retry cancel pause resume priority eat rm workers; do
        run depthq help "$verb"
        [ "$status" -eq 0 ]
        [ "${lines[0]}" = "Examples:" ]
        [[ "$output" == *"Usage: depthq $verb "* ]]
        [[ "$output" == *"--json"* ]]
    done
}

@test "depthq itself links no libcurl" {
    [[ "$DEPTHQ_BUILD" != *asan* && "$DEPTHQ_BUILD" != *tsan* ]] ||
        skip "a sanitizer brings libraries of its own"
    run ldd bin/depthq
    [[ "$output" != *curl* ]]
    run ldd bin/depthq-client
    [[ "$output" == *curl* ]]
    for heavy in torch OpenImageIO sqlite stdc++; do
        [[ "$output" != *"$heavy"* ]]
    done
}

@test "a daemon leaves a socket that it may not ask to whoever has it" {
    load helpers
    export DEPTHQ_SOCKET=$PWD/sock BUILD=$PWD
    start_daemon
    chmod 0600 sock
    as_nobody "DEPTHQ_STATE=$PWD/theirs exec timeout 30 $PWD/bin/depthqd --socket $PWD/sock"
    [ "$status" -eq 77 ]
    [[ "$output" == *"sock: another daemon's socket?"* ]]
    depthq workers
}
