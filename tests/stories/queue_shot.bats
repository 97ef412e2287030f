# Steady shots (stabilize: shot) in the queue: survey, scans, solve, frames.
# DEPTHQ_BUILD is the build to test.

bats_require_minimum_version 1.5.0

setup() {
    load helpers
    load queue
    load_programs
}

teardown() { kill_daemon; }

# shot [RETRIES]: shot.yaml, steady
shot() {
    cat >shot.yaml <<YAML
depthq: 1
plate: plate/p.####.exr
model: net
output:
  path: depth/d.####.exr
stabilize: shot
retries: ${1:-0}
YAML
}

# scripted RULE...: a shot of scripted workers
scripted() {
    scripted_workers
    shot
    export FAKE_WORKER="$*"
    start_daemon
}

workers() { depthq workers --json | grep -o '"pid":[1-9][0-9]*' | cut -d: -f2; }

at_least() { # NUMBER KEY...: of job 1
    local least=$1
    shift
    [ "$(member 1 "$@")" -ge "$least" ]
}

# In the first daemon a worker hangs where it would tell of its fourth task, in
# the second of its ninth: both while scans, and then frames, are left.
@test "whatever dies in scans and frames, a steady shot has the bytes of depthq run" {
    plates 1001-1012
    fake affine
    library net.fake
    shot 20
    mkdir calm
    cp -a shot.yaml plate calm/
    (cd calm && depthq run shot.yaml --progress plain --threads 1 2>log) || { cat calm/log; false; }

    DQ_FAULT=settle:4+=hang start_daemon --workers 2 --threads 1
    [ "$(depthq submit shot.yaml)" = 1 ]
    until_true at_least 5 scans settled
    [ "$(member 1 phase)" = scan ]
    [[ $(depthq status 1) == *$'\nphase      scan\nscans      '*" of 12"* ]]
    [ "$(member 1 counts waiting)" = 12 ]
    kill -9 "$(workers | head -n 1)"
    until_true at_least 6 scans settled
    depthq pause 1
    stop_daemon KILL

    DQ_FAULT=settle:9+=hang start_daemon --workers 2 --threads 1
    [ "$(member 1 state) $(member 1 phase)" = "paused scan" ]
    at_least 6 scans settled
    depthq resume 1
    until_true at_least 6 counts done # the hanging one may hold the others
    stop_daemon KILL

    start_daemon --workers 2 --threads 1
    run depthq watch 1
    [ "$status" -eq 0 ] || { echo "$output"; cat daemon.log; false; }
    [ "$(member 1 scans all) $(member 1 scans failed)" = "12 0" ]
    [ "$(depthq logs 1 | grep -o ' phase (.*' | tr -d '\n')" = " phase (survey to scan) phase (scan to solve) phase (solve to render)" ]
    outputs_are_whole
    [ "$(find depth -maxdepth 1 -name 'd.*.exr' | wc -l)" -eq 12 ]
    diff <(depth_sums) <(cd calm && depth_sums)
    [ "$(find depth/.depthq -name shot.json | wc -l)" -eq 1 ]
    stop_daemon TERM
    [ "$status" -eq 0 ]
}

@test "a frame that comes later is made by retry, and nothing delivered changes" {
    plates 1001-1006
    mkdir later && mv plate/p.1004.exr later
    fake affine
    library net.fake
    shot
    sed -i 's/^model: /frames: 1001-1006\nmodel: /' shot.yaml
    start_daemon
    run depthq submit --unchecked shot.yaml --watch
    [ "$status" -eq 1 ]
    [[ $output == *"scan=1004 state=failed attempt=1 code=MISSING"* ]]
    [[ $output == *"frame=1004 state=failed attempt=1 code=MISSING"* ]]
    [[ $(depthq status 1) == *$'\nscans      6 of 6, failed 1\n'* ]]
    solution=$(sha256sum depth/.depthq/*/shot.json)
    before=$(depth_sums)
    mv later/* plate
    [ "$(depthq retry 1)" = "job 1 (shot): begins anew, 1 frame" ]
    depthq watch 1
    [ "$solution" = "$(sha256sum depth/.depthq/*/shot.json)" ]
    [ -z "$(diff <(echo "$before") <(depth_sums) | grep '^<')" ]
    [ -e depth/d.1004.exr ]
    run depthq logs 1 1004
    [[ ${lines[0]} == "KIND    ATTEMPT  BEGAN"* ]]
    [[ ${lines[1]} == "scan          1  "*" give up "*MISSING* ]]
    [[ ${lines[2]} == "render        1  "*" give up "*MISSING* ]]
    [[ ${lines[3]} == "render        2  "*" finish "* ]]
    [ "${#lines[@]}" -eq 4 ]
}

@test "the log of a steady shot tells of its phases" {
    scripted
    run depthq submit shot.yaml --watch
    [ "$status" -eq 0 ]
    [ "$(grep -c '^scan=10[0-9]* state=done attempt=1$' <<<"$output")" -eq 10 ]
    grep -q '^solve state=done attempt=1$' <<<"$output"
    [[ ${lines[-1]} == "shot: job 1 done: done 10, to "* ]]
    run depthq logs 1
    [[ $output == *" phase (survey to scan)"*" release 10 scans (waiting to ready)"* ]]
    [[ $output == *" finish scan of frame 1010, attempt 1 (running to done)"* ]]
    [[ $output == *" phase (scan to solve)"*" release solve (waiting to ready)"* ]]
    [[ $output == *" phase (solve to render)"*" release 10 frames (waiting to ready)"* ]]
    run depthq logs 1 solve
    [[ ${lines[1]} == "      1  20"*"  finish     1.00" ]]
    [[ $(depthq status 1) != *$'\nphase '* ]]
}

@test "a solve that fails fails the job, and retry solves once more" {
    scripted "solve@1=fail:MISSING"
    run depthq submit shot.yaml --watch
    [ "$status" -eq 66 ]
    [[ $output == *"solve state=failed attempt=1 code=MISSING "* ]]
    [[ $output == *"10 frames failed: /plate/p.0000.exr: scripted MISSING"* ]]
    run depthq status 1
    [[ $output == *$'\nphase      solve\nscans      10 of 10\nerror      /plate/p.0000.exr: scripted MISSING'* ]]
    run depthq watch 1
    [ "$status" -eq 66 ]
    [ "$(depthq retry 1)" = "job 1 (shot): begins anew, 10 frames" ]
    run depthq watch 1
    [ "$status" -eq 0 ]
    run depthq logs 1 1003
    [ "${#lines[@]}" -eq 3 ] # scanned once, made once
}

@test "a shot whose first scans fail alike is not tried further" {
    scripted "scan=fail:PLATE credit=1"
    run depthq submit shot.yaml --watch
    [ "$status" -eq 65 ]
    [[ $output == *"scan=1001 state=failed attempt=1 code=PLATE "* ]]
    [[ $output == *"10 frames failed: not tried, for the first 5 scans failed alike (retry begins anew): /plate/p.1005.exr: scripted PLATE"* ]]
    [ "$(member 1 state)" = failed ]
}

@test "a steady shot is canceled in its scans and goes on with them" {
    scripted "scan@1=hang credit=1"
    sed -i 's/^retries: .*/retries: 20/' shot.yaml
    depthq submit shot.yaml
    until_true eval '[ "$(depthq logs 1 1001 | wc -l)" -eq 2 ]'
    [[ $(depthq status) == *"  active    0/10          scan 0/10" ]]
    depthq cancel 1
    kill -9 "$(workers)"
    run depthq watch 1
    [ "$status" -eq 75 ]
    [ "$(member 1 counts canceled)" = 10 ]
    kill_daemon
    export FAKE_WORKER=""
    start_daemon
    depthq retry 1
    depthq watch 1
    [ "$(member 1 counts done) $(member 1 scans settled)" = "10 10" ]
}
