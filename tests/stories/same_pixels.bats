# The same bytes, however the farm cut the work.

setup() {
    load helpers
    load_programs
    fake affine
    plates 1001-1012 320x192
    job 1001-1012
    depthq run shot.yaml --progress plain
    one_piece=$(depth_sums)
    rm -rf depth
}

same() { outputs_are_whole && [ "$one_piece" = "$(depth_sums)" ]; }

@test "chunks in any order give the bytes of one run" {
    for chunk in 1009-1012 1001-1003 1004 1005-1008; do
        depthq run shot.yaml --progress plain --frames $chunk
    done
    same
}

@test "two and three workers give the bytes of one" {
    for workers in 2 3; do
        depthq run shot.yaml --progress plain --workers $workers
        same
        rm -rf depth
    done
}

@test "several runs side by side on the same frames give the bytes of one" {
    depthq run shot.yaml --progress plain --frames 1001-1008 &
    depthq run shot.yaml --progress plain --frames 1005-1012 &
    wait
    same
}

@test "little memory gives the same bytes" {
    # a frame of this size holds 10.5 MiB from reading to publishing: one passes at a time
    rm -rf plate made
    plates 1001-1006 640x360
    job 1001-1006
    depthq run shot.yaml --progress plain
    one_piece=$(depth_sums)
    rm -rf depth
    depthq run shot.yaml --progress plain --memory 16M
    same
    run depthq run shot.yaml --progress plain --memory 16M
    [[ $output == *"skipped 6"* ]]
}

@test "workers killed at random points lose no frame and tear no file" {
    kills=${DEPTHQ_KILLS:-100} killed=0 RANDOM=4711
    echo "seed 4711, $kills kills"
    fake affine '"slow_ms": 1,'
    job 1001-1012 ""
    sed -i 's/^retries: .*/retries: 20/' shot.yaml
    rm -rf depth
    depthq run shot.yaml --progress plain
    slow=$(depth_sums)
    while [ $killed -lt "$kills" ]; do
        rm -rf depth
        depthq run shot.yaml --progress plain >log 2>&1 &
        pid=$!
        while kill -0 $pid 2>/dev/null && [ $killed -lt "$kills" ]; do
            sleep 0.0$((RANDOM % 9 + 1))
            worker=$(pgrep -P $pid depthq-worker | head -n 1) || continue
            kill -9 "$worker" 2>/dev/null && killed=$((killed + 1))
        done
        if ! wait $pid; then # so many kills that the device was given up: again
            run depthq run shot.yaml --progress plain
            [ "$status" -eq 0 ] || { echo "$output"; false; }
        fi
        [ "$slow" = "$(depth_sums)" ]
        outputs_are_whole
    done
    echo "killed $killed times"
}
