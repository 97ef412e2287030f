# For stories of the queue: a daemon beside the story, and a model library.

# library FILE [CONTRACT]: register it as the model `net`, for the daemon too
library() {
    mkdir -p library
    mv "$1" library/net.fake
    cat >library/net@1.json <<JSON
{"depthq_manifest": 1, "name": "net", "version": "1", "file": "net.fake",
 "bytes": $(stat -c %s library/net.fake), "sha256": "$(sha256sum library/net.fake | cut -d ' ' -f 1)", "contract": {}}
JSON
    export DEPTHQ_MODELS=$PWD/library DEPTHQ_STATE=$PWD/state XDG_DATA_HOME=$PWD/none
    unset DEPTHQ_SOCKET XDG_RUNTIME_DIR RUNTIME_DIRECTORY STATE_DIRECTORY
}

# Ten plates that nobody opens, and workers that play the script in FAKE_WORKER
# (tests/tools/fake_worker.c).
scripted_workers() {
    local build=${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release} frame
    mkdir bin plate
    cp "$build"/bin/depthq{,d} "$build/libexec/depthq/depthq-client" bin/
    cp "$build/tools/fake_worker" bin/depthq-worker
    PATH="$PWD/bin:$PATH"
    for frame in $(seq 1001 1010); do
        echo plate >"plate/p.$frame.exr"
    done
    echo '{}' >net.fake
    library net.fake
}

# start_daemon [OPTION]...: and wait until it answers
start_daemon() {
    depthqd "$@" 2>>daemon.log 3>&- &
    daemon=$!
    until_true depthq workers
}

stop_daemon() { # SIGNAL: and its status in $status
    kill -"$1" "$daemon"
    status=0
    wait "$daemon" 2>/dev/null || status=$?
    daemon=
}

kill_daemon() {
    [ -n "${daemon:-}" ] || return 0
    kill -9 "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
}

# until_true COMMAND...: for a minute and more; no story is about time
until_true() {
    for _ in $(seq 900); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "this did not come true: $*"
    "$@"
    depthq status
    return 1
}

# member JOB KEY...: of the job's object, as `depthq status --json` has it
member() {
    local job=$1
    shift
    depthq status "$job" --json | "${PYTHON:-python3}" -c 'import json, sys
o = json.load(sys.stdin)["jobs"][0]
for key in sys.argv[1:]: o = o[key]
print(o)' "$@"
}

is_state() { [ "$(member "$1" state)" = "$2" ]; }
