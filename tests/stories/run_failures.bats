# Workers die, plates are broken, storage is full; the rest goes on.

load run_fake

@test "a worker killed in the middle gets an obituary, and all frames are done" {
    export FAKE_WORKER="1005@1=hang"
    start_run
    wait_for begun ' 1005 1'
    worker="$(tail -1 begun | cut -d' ' -f1)"
    kill -9 "$worker"
    end_run
    [ "$status" -eq 0 ]
    grep -q "^worker 1 (pid $worker, auto) died: signal 9 (Killed)" said
    [ "$(frames_in_state done)" -eq 20 ]
}

@test "a frame that kills its workers fails, the others are done, exit 1" {
    export FAKE_WORKER="1005=die:11"
    run depthq run shot.yaml
    [ "$status" -eq 1 ]
    [[ "${lines[-1]}" == "shot: done 19, failed 1 (1005), "* ]]
    grep -q '^frame=1005 state=failed .*code=WORKER .*signal 11' <<< "$output"
    # Two retries: three deaths alone at work, and at most one in company.
    deaths="$(grep -c ' died: signal 11' <<< "$output")"
    [ "$deaths" -ge 3 ]
    [ "$deaths" -le 4 ]
}

@test "a broken plate costs its own frame" {
    export FAKE_WORKER="1002=fail:PLATE 1011=fail:MISSING"
    run depthq run shot.yaml
    [ "$status" -eq 1 ]
    [[ "${lines[-1]}" == "shot: done 18, failed 2 (1002,1011), "* ]]
    [ "$(grep -c ' 1002 ' begun)" -eq 1 ]
}

@test "a passing failure is tried again" {
    export FAKE_WORKER="1002@1=fail:IO"
    run depthq run shot.yaml
    [ "$status" -eq 0 ]
    [ "$(grep -c ' 1002 ' begun)" -eq 2 ]
    grep -q '^frame=1002 state=retry attempt=1 code=IO' <<< "$output"
}

@test "what only passing failures stopped is worth another run: exit 75" {
    sed -i 's/retries: 2/retries: 0/' shot.yaml
    export FAKE_WORKER="1002=fail:GROWING"
    run depthq run shot.yaml
    [ "$status" -eq 75 ]
}

@test "a model that cannot be used ends the job with its own status" {
    export FAKE_WORKER="1002=fail:MODEL"
    run depthq run shot.yaml
    [ "$status" -eq 65 ]
    [[ "${lines[-1]}" == "shot: done "*"failed "* ]]
    [ "$(wc -l < begun)" -lt 10 ]
}

@test "a survey that fails fails every frame with its cause" {
    export FAKE_WORKER="survey=fail:DENIED"
    run depthq run shot.yaml
    [ "$status" -eq 77 ]
    [ "$(grep -c '^frame=.* state=failed .*code=DENIED' <<< "$output")" -eq 20 ]
    [ "$(wc -l < begun)" -eq 1 ]
}

@test "a survey, or every frame, that kills each worker is not worth another run: exit 1" {
    export FAKE_WORKER="survey=die:11"
    run depthq run shot.yaml
    [ "$status" -eq 1 ] || { echo "exit $status: $output"; false; }
    [[ "$output" == *"survey state=failed"*"code=WORKER"*"signal 11"* ]]
    sed -i 's/retries: 2/retries: 0/' shot.yaml
    export FAKE_WORKER="1001=die:11 1002=die:11"
    run depthq run shot.yaml --frames 1001-1002
    [ "$status" -eq 1 ] || { echo "exit $status: $output"; false; }
}

@test "an output that may not be written anywhere has the status of that" {
    export FAKE_WORKER="*=fail:CREATE"
    run depthq run shot.yaml
    [ "$status" -eq 73 ]
}

@test "a run whose first frames all fail the same way stops early and says so" {
    export FAKE_WORKER="*=fail:PLATE credit=1"
    run depthq run shot.yaml
    [ "$status" -eq 65 ]
    [ "$(wc -l < begun)" -eq 6 ]
    [ "$(grep -c '^frame=.* state=failed .*not tried, for the first 5 frames failed alike (retry begins anew): .*p.1005.exr: scripted PLATE' <<< "$output")" -eq 15 ]
    [[ "${lines[-1]}" == "shot: done 0, failed 20 (1001-1020), "* ]]
    export FAKE_WORKER="1001=ok *=fail:PLATE credit=1"
    rm begun
    run depthq run shot.yaml
    [ "$status" -eq 1 ]
    [ "$(wc -l < begun)" -eq 21 ]
}

@test "full storage is waited for, then left to another run: exit 75" {
    export FAKE_WORKER="1005=fail:FULL"
    run depthq run shot.yaml --patience 0.3
    [ "$status" -eq 75 ]
    [ "$(grep -c ' 1005 ' begun)" -le 2 ] # others that find room do not make it wait for ever
    [[ "$output" == *"storage is full, waiting for room"* ]]
    [[ "${lines[-1]}" == *"blocked 1"* ]]
    ! grep -q 'state=failed' <<< "$output"
}

@test "a frame that hangs is killed and tried again" {
    export FAKE_WORKER="1005@1=hang"
    run depthq run shot.yaml --stall 0.5
    [ "$status" -eq 0 ]
    [[ "$output" == *"it was killed: no progress"* ]]
}

@test "a worker that talks nonsense is replaced" {
    export FAKE_WORKER="1005@1=garbage"
    run depthq run shot.yaml
    [ "$status" -eq 0 ]
    [ "$(grep -c ' died: it was killed' <<< "$output")" -eq 1 ]
}

@test "workers that cannot start end the run with their last words" {
    printf '#!/bin/sh\necho "libtorch.so: cannot open shared object file" >&2\nexit 127\n' > bin/depthq-worker
    run depthq run shot.yaml
    [ "$status" -eq 78 ]
    [[ "$output" == *"no worker can work: 3 workers in a row"*"libtorch.so: cannot open"* ]]
    [[ "${lines[-1]}" == "shot: done 0, not done 20, "* ]]
}

@test "a device that is not there: exit 69 after a few tries" {
    export FAKE_WORKER="*=fail:DEVICE"
    run depthq run shot.yaml
    [ "$status" -eq 69 ]
    # Each worker may have begun a frame more than it was to answer for.
    [ "$(cut -d' ' -f1 begun | sort -u | wc -l)" -le 3 ]
}

@test "a worker of another version is refused" {
    export FAKE_WORKER="version=0.0.0"
    run depthq run shot.yaml
    [ "$status" -eq 78 ]
    [[ "$output" == *"it is of version 0.0.0"* ]]
}

@test "without a worker beside it depthq says where it looked" {
    rm bin/depthq-worker
    run depthq run shot.yaml
    [ "$status" -eq 78 ]
    [[ "$output" == *"depthq-worker is not installed beside this program"* ]]
}

@test "what a worker prints is shown with its number" {
    export FAKE_WORKER="1005=print:mind-the-gap"
    run depthq run shot.yaml
    [ "$status" -eq 0 ]
    grep -q '^worker 1: mind-the-gap$' <<< "$output"
}

@test "what dead workers left half-written is gone after the run, another run's is not" {
    mv bin/depthq-worker bin/real-worker
    mkdir -p depth
    cat > bin/depthq-worker <<'SH'
#!/bin/bash
# as if it had died in mid-publish: a temp of its own run
while [ "$1" != --run-id ] && [ $# -gt 0 ]; do args+=("$1"); shift; done
echo half > "depth/.d.1003.exr.$2-1003-1.tmp"
echo "$2" > run-id
exec "$(dirname "$0")/real-worker" "${args[@]}" "$@"
SH
    chmod +x bin/depthq-worker
    echo half > depth/.d.1004.exr.run99-1-0-1004-1.tmp # running now, elsewhere
    echo half > depth/.d.1005.exr.run98-1-0-1005-1.tmp # dead for long
    touch -d '3 days ago' depth/.d.1005.exr.run98-1-0-1005-1.tmp
    echo mine > depth/.d.1006.exr.backup.tmp           # somebody's own
    touch -d '3 days ago' depth/.d.1006.exr.backup.tmp
    run depthq run shot.yaml
    [ "$status" -eq 0 ]
    [[ "$(cat run-id)" == run* ]]
    [ "$(ls -A depth | grep tmp | tr '\n' ' ')" = ".d.1004.exr.run99-1-0-1004-1.tmp .d.1006.exr.backup.tmp " ]
}
