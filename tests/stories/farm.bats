# A wrangler's day: three shots, a paused one, a damaged plate, dying workers,
# a killed daemon; and in the morning each frame is there, once and whole.
# With real workers and a fake network. DEPTHQ_BUILD is the build to test.

bats_require_minimum_version 1.5.0

setup() {
    load helpers
    load queue
    load_programs
    plates 1001-1012
    fake affine
    library net.fake
    for name in sh010 sh020 sh030; do shot $name; done
}

teardown() { kill_daemon; }

shot() { # NAME: NAME/shot.yaml, with plates and a folder of its own
    mkdir -p "$1"
    cp -r plate "$1/"
    cat >"$1/$1.yaml" <<YAML
depthq: 1
plate: plate/p.####.exr
model: net
output:
  path: depth/d.####.exr
retries: 20
YAML
}

workers() { depthq workers --json | grep -o '"pid":[1-9][0-9]*' | cut -d: -f2; }

some_frames_are_done() { [ $(($(member 1 counts done) + $(member 2 counts done))) -eq 6 ]; }

# What an undisturbed run makes of two of the shots, in its own place. (The
# third was looked at when a plate was damaged, and stays as it was decided.)
undisturbed() {
    local name
    mkdir calm
    for name in sh010 sh020; do
        cp -r $name calm/
        rm -rf calm/$name/depth
        depthq run calm/$name/$name.yaml --progress plain 2>run.log || { cat run.log; return 1; }
    done
}

# Each frame of a job is done or was found done, and its file is the one that
# the queue tells of.
each_frame_is_there_once() { # JOB
    depthq status "$1" --frames --json | "${PYTHON:-python3}" -c '
import hashlib, json, sys
frames = json.load(sys.stdin)["frames"]
assert [f["frame"] for f in frames] == list(range(1001, 1013)), frames
for f in frames:
    assert f["state"] in ("done", "skipped"), f
    with open(f["path"], "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == f["sha256"], f
assert len({f["path"] for f in frames}) == 12
'
}

# Each worker of the first daemon hangs at the end of its fourth frame: so much
# is at work and so much is left, however fast the machine is.
@test "a wrangler's day: whatever dies, each frame is made once and is whole" {
    DQ_FAULT=ledger:4=hang start_daemon --workers 2 --threads 1

    # in the evening: one shot is urgent, one waits for a word, a plate is damaged
    mv sh030/plate/p.1001.exr good.exr
    echo 'no picture' >sh030/plate/p.1001.exr
    touch -d '1 hour ago' sh030/plate/p.1001.exr
    [ "$(depthq submit sh030/sh030.yaml --priority 90)" = 1 ]
    [ "$(depthq submit sh010/sh010.yaml --priority 40)" = 2 ]
    [ "$(depthq submit sh020/sh020.yaml --hold)" = 3 ]
    depthq watch sh030 2>watched 3>&- &
    watcher=$!
    until_true some_frames_are_done

    # one is paused: it begins no more frames
    depthq pause sh010
    [[ $(member sh010 state) == paus* ]]

    # a worker that hangs is killed, and another takes its place
    victim=$(workers | head -n 1)
    kill -9 "$victim"
    until_true eval '[ "$(workers | grep -vcx '"$victim"')" -eq 2 ]'
    [[ $(depthq workers) == *"died last: "*"Killed"* ]]

    # the daemon is killed and takes its workers along; the next one goes on
    old=$(workers)
    stop_daemon KILL
    run --separate-stderr depthq status
    [ "$status" -eq 69 ]
    start_daemon --workers 2 --threads 1
    for pid in $old; do ! grep -qs depthq-worker "/proc/$pid/cmdline"; done
    [ "$(member sh010 state)" = paused ]
    before=$(member sh010 counts done)

    # who watched all the time hears of the damaged plate
    status=0
    wait "$watcher" || status=$?
    [ "$status" -eq 1 ] || { cat watched; false; }
    grep -q '^frame=1001 state=failed .*code=PLATE' watched
    [[ $(depthq status sh030) == *"failed     1001: "*"p.1001.exr"* ]]

    # the paused shot has not gone on; one that nobody wants is canceled
    [ "$(member sh010 counts done)" = "$before" ]
    depthq resume sh010
    depthq cancel sh020
    run depthq watch sh020
    [ "$status" -eq 75 ]

    # the plate is mended, and the canceled shot is wanted after all
    mv good.exr sh030/plate/p.1001.exr
    depthq retry sh030 sh020
    run depthq watch sh010 sh020 sh030
    [ "$status" -eq 0 ] || { echo "$output"; false; }

    for job in 1 2 3; do each_frame_is_there_once $job; done
    outputs_are_whole_in sh010 sh020 sh030
    undisturbed
    for name in sh010 sh020; do
        diff <(cd $name && depth_sums) <(cd calm/$name && depth_sums)
    done
    stop_daemon TERM
    [ "$status" -eq 0 ]
}

outputs_are_whole_in() { # FOLDER...
    local folder
    for folder in "$@"; do (cd "$folder" && outputs_are_whole) || return 1; done
}

# Each worker is killed when its fifth file is about to get its name.
@test "what workers leave that die while they publish is swept by the next" {
    DQ_FAULT=publish.rename:5=kill start_daemon --threads 1
    run --separate-stderr depthq submit sh010/sh010.yaml --watch
    [ "$status" -eq 0 ] || { echo "$stderr"; cat daemon.log; false; }
    [ "$(depthq logs 1 --json | grep -c '"verb":"lose"')" -ge 3 ]
    each_frame_is_there_once 1
    outputs_are_whole_in sh010
}
