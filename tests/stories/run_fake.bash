# For stories of `depthq run` with a worker that plays a script: a folder with
# depthq and tests/tools/fake_worker.c as its depthq-worker, and a shot of
# twenty plates. FAKE_WORKER is the script, FAKE_LOG the list of tasks begun.

setup() {
    local build="${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release}"

    cd "$BATS_TEST_TMPDIR"
    mkdir bin plate
    cp "$build/bin/depthq" bin/depthq
    cp "$build/tools/fake_worker" bin/depthq-worker
    PATH="$PWD/bin:$PATH"
    export FAKE_LOG="$PWD/begun" FAKE_WORKER=""
    for frame in $(seq 1001 1020); do
        echo plate > "plate/p.$frame.exr"
    done
    echo '{}' > model.fake
    cat > shot.yaml <<'YAML'
depthq: 1
plate: plate/p.####.exr
model: ./model.fake
output:
  path: depth/d.####.exr
retries: 2
YAML
}

teardown() {
    [ -z "$depthq" ] || kill -9 "$depthq" 2> /dev/null || true
}

# Start a run beside the story; what it says goes to the file `said`.
start_run() {
    depthq run shot.yaml "$@" > out 2> said 3>&- &
    depthq=$!
}

# Wait until the file of $1 has a line that fits $2.
wait_for() {
    for _ in $(seq 600); do
        grep -q -- "$2" "$1" 2> /dev/null && return 0
        sleep 0.1
    done
    echo "no '$2' in $1:"
    cat "$1"
    return 1
}

# Wait for the run's end; its status in $status.
end_run() {
    status=0
    wait "$depthq" || status=$?
    depthq=
}

frames_in_state() {
    grep -c "^frame=[0-9]* state=$1 " said
}
