# Whatever dies when: no frame is lost and no file is torn.

setup() {
    load helpers
    load_programs
    plates 1001-1008 160x96
}

workers_of() { pgrep -P "$1" depthq-worker; }

# A frame is done, or was found done: once, whatever happened to others.
each_frame_is_told_once() {
    [ "$(grep -cE '^frame=[0-9]+ state=(done|skipped) ' log)" -eq 8 ] &&
        [ -z "$(grep -oE '^frame=[0-9]+ state=(done|skipped) ' log | cut -d' ' -f1 | sort | uniq -d)" ]
}

# Both workers die at a random moment. Then the run goes on by itself, or is
# stopped too and run again. No temp of the dead outlives the run. Seed and
# counts are printed where it fails.
@test "workers killed at random points lose no frame and tear no file" {
    kills=${DEPTHQ_KILLS:-100} seed=${DEPTHQ_SEED:-4711} killed=0 shots=0 stopped=0
    RANDOM=$seed
    fake affine '"slow_ms": 12,'
    job 1001-1008
    sed -i 's/^retries: .*/retries: 20/' shot.yaml
    depthq run shot.yaml --progress plain
    undisturbed=$(depth_sums)
    rm -rf depth
    while [ $killed -lt "$kills" ]; do
        depthq run shot.yaml --progress plain --workers 2 >log 2>&1 &
        run=$!
        sleep "0.$(printf %02d $((RANDOM % 30 + 4)))"
        for worker in $(workers_of $run); do
            kill -9 "$worker" 2>/dev/null && killed=$((killed + 1))
        done
        if [ $((RANDOM % 6)) -gt 0 ] && kill -TERM $run 2>/dev/null; then
            kill -TERM $run 2>/dev/null || true # gone already
            stopped=$((stopped + 1))
        fi
        status=0
        wait $run || status=$?
        echo "seed $seed: $killed killed, $stopped runs stopped, $shots shots done; status $status"
        outputs_are_whole
        [ "$status" -eq 75 ] && continue
        [ "$status" -eq 0 ] || { cat log; false; }
        each_frame_is_told_once
        [ "$undisturbed" = "$(depth_sums)" ]
        shots=$((shots + 1))
        rm -rf depth
    done
    depthq run shot.yaml --progress plain
    [ "$undisturbed" = "$(depth_sums)" ]
    outputs_are_whole
    [ $shots -gt 0 ] && [ $stopped -gt 0 ]
}
