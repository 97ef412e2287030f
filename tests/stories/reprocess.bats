# depthq reprocess: what is stale goes into the queue, behind everything else,
# and nothing else is made again.

bats_require_minimum_version 1.5.0

setup() {
    load helpers
    load queue
    load_programs
    export DEPTHQ_MODELS=$PWD/library DEPTHQ_STATE=$PWD/state XDG_DATA_HOME=$PWD/data
    unset DEPTHQ_SOCKET XDG_RUNTIME_DIR
    plates 1001-1004
    add_version 1.0.0 identity
    depthq models alias mine@show=1.0.0
    job 1001-1004
    sed -i 's|./net.fake|mine@show|' shot.yaml
    depthq run shot.yaml --progress plain >/dev/null
}

teardown() { kill_daemon; }

reprocess() { run depthq reprocess shot.yaml "$@"; }
inodes() { stat -c '%n %i' depth/d.*.exr; }

@test "a moved alias is told first, then made by the queue" {
    reprocess --dry-run
    [ "$status" -eq 0 ]
    [ "$output" = "shot.yaml: 0 stale frames" ]
    add_version 2.0.0 luma
    depthq models alias mine@show=2.0.0
    reprocess --dry-run
    [ "$status" -eq 0 ]
    [ "$output" = "shot.yaml: 4 stale frames: 1001-1004 (nothing was sent)" ]
    start_daemon --threads 1
    run --separate-stderr depthq reprocess shot.yaml
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    [ "$stderr" = "shot.yaml: 4 stale frames: 1001-1004, job 1" ]
    [ "$(member 1 priority)" = 10 ]
    depthq watch 1
    run depthq stale shot.yaml
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
    run depthq reprocess shot.yaml
    [ "$output" = "shot.yaml: 0 stale frames" ]
    [[ $(depthq inspect depth/d.1001.exr) == *"2.0.0"* ]]
}

@test "only the stale frames are made again" {
    inodes >before
    cp plate/p.1004.exr plate/p.1002.exr
    rm depth/d.1003.exr
    start_daemon --threads 1
    reprocess --priority 3
    [ "$status" -eq 0 ]
    [[ $output == *"shot.yaml: 2 stale frames: 1002-1003, job 1"* ]]
    [ "$(member 1 priority)" = 3 ]
    depthq watch 1
    inodes >after
    [ "$(diff before after | grep '^>' | cut -d ' ' -f 2 | tr '\n' ' ')" = "depth/d.1002.exr depth/d.1003.exr " ]
}

@test "one model is picked; other jobs, also of a model that is gone, are passed over" {
    cp shot.yaml other.yaml
    sed -i 's|mine@show|gone@prod|; s|depth/d|depth/e|' other.yaml
    rm depth/d.1001.exr
    run depthq reprocess shot.yaml other.yaml --model mine --dry-run
    [ "$status" -eq 0 ]
    [ "$output" = "shot.yaml: 1 stale frame: 1001 (nothing was sent)" ]
    for model in mine@show mine; do
        run depthq stale shot.yaml other.yaml --model "$model"
        [ "$status" -eq 0 ]
        [[ $output == *"output missing: 1001"*"1 of 4 frames are stale" ]]
    done
    for model in mine@prod min mine@; do
        run depthq stale shot.yaml other.yaml --model "$model"
        [ "$status" -eq 0 ]
        [ -z "$output" ]
    done
    run depthq reprocess shot.yaml other.yaml --dry-run
    [ "$status" -ne 0 ]
    [[ $output == *"gone"* ]]
    [[ $output == *"shot.yaml: 1 stale frame: 1001"* ]]
}

@test "as JSON, with what was not sent" {
    rm depth/d.1001.exr
    run --separate-stderr depthq reprocess shot.yaml --dry-run --json
    [ "$status" -eq 0 ]
    [ "$output" = '{"jobs":[{"file":"shot.yaml","stale":1,"frames":"1001","job":null}]}' ]
}

@test "a job that would make more than the stale frames is refused, and wrong words have their status" {
    rm depth/d.1001.exr
    reprocess
    [ "$status" -eq 69 ]
    sed -i 's|^output:|output:\n  existing: replace|' shot.yaml
    reprocess --dry-run
    [ "$status" -eq 65 ]
    [[ $output == *"output.existing is not resume"* ]]
    run depthq reprocess
    [ "$status" -eq 2 ]
    reprocess --priority 101
    [ "$status" -eq 2 ]
    sed -i 's/frames/fraems/' shot.yaml
    reprocess --dry-run
    [ "$status" -eq 65 ]
    [[ $output == *"did you mean 'frames'"* ]]
}

@test "a night is waited for and summed up, for each model" {
    add_version 2.0.0 luma
    depthq models alias mine@show=2.0.0
    start_daemon --threads 1
    run --separate-stderr depthq reprocess shot.yaml --wait
    [ "$status" -eq 0 ]
    [ "$output" = 1 ]
    [[ $stderr == *"depthq reprocess: 4 frames made, 0 failed, 0 found right, 0 left, in 0.0"*" hours"* ]]
    [[ $stderr == *"depthq reprocess: mine@2.0.0: 4 frames made, 0 failed, "* ]]
    [[ $stderr != *"put off"* ]]
    is_state 1 done
    rm depth/d.1002.exr
    echo scribble >plate/p.1003.exr
    run --separate-stderr depthq reprocess shot.yaml --wait --json
    [ "$status" -eq 1 ]
    "${PYTHON:-python3}" - "$output" <<'EOF'
import json, sys
told = json.loads(sys.argv[1])
job, = told["jobs"]
assert (job["stale"], job["done"], job["failed"], job["right"], job["left"]) == (2, 1, 1, 2, 0), job
night = told["summary"]
assert (night["done"], night["failed"], night["right"], night["left"]) == (1, 1, 2, 0), night
model, = night["models"]
assert (model["name"], model["version"], model["done"], model["failed"]) == ("mine", "2.0.0", 1, 1), model
assert 0 <= model["hours"] == night["hours"] < 1, night
EOF
}

@test "after the limit no job is begun, and what waited is stale again the next time" {
    rm depth/d.1001.exr
    start_daemon --threads 1
    depthq workers drain 1
    reprocess --limit-hours 0.00001
    [ "$status" -eq 0 ]
    [[ $output == *"depthq reprocess: 0 frames made, 0 failed, 0 found right, 4 left, "* ]]
    [[ $output == *"depthq reprocess: 1 job put off: the limit came first"* ]]
    is_state 1 canceled
    reprocess --dry-run
    [ "$output" = "shot.yaml: 1 stale frame: 1001 (nothing was sent)" ]
    for hours in 0 -1 x nan 2000; do
        reprocess --limit-hours "$hours"
        [ "$status" -eq 2 ]
        [[ $output == *"--limit-hours is a number of hours"* ]]
    done
}

@test "a job that has begun by the limit is finished: no shot is half one model's" {
    local models=$DEPTHQ_MODELS
    mkdir other && cd other
    scripted_workers
    DEPTHQ_MODELS=$models
    cp "${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release}/libexec/depthq/depthq-stale" bin/
    job 1001-1010
    sed -i 's|./net.fake|mine@show|; s|depth/d|made/d|' shot.yaml
    sed 's|made/d|more/d|' shot.yaml >other.yaml
    FAKE_WORKER="start=credit=1 *=slow:200" start_daemon --threads 1
    run depthq reprocess shot.yaml other.yaml --limit-hours 0.00001 --json
    [ "$status" -eq 0 ]
    for id in 1 2; do
        case $(member $id state) in
        done) [ "$(member $id counts done)" = 10 ] ;;
        canceled) [ "$(member $id counts canceled)" = 10 ] ;;
        *) false ;;
        esac
    done
}
