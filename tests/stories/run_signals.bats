# A farm engine wants its node back.

load run_fake

@test "SIGTERM: frames in hand are finished, none is begun, exit 75" {
    export FAKE_WORKER="*=slow:100"
    start_run
    wait_for said '^frame=1003 state=done'
    kill -TERM "$depthq"
    end_run
    [ "$status" -eq 75 ]
    grep -q 'Terminated: no more frames are begun' said
    # Every render that was begun is done, and there are frames left.
    [ "$(frames_in_state done)" -eq "$(($(wc -l < begun) - 1))" ]
    [ "$(frames_in_state done)" -lt 20 ]
    grep -q 'not done' said
    ! grep -q ' died: ' said
}

@test "SIGUSR1 and SIGINT mean the same" {
    for name in USR1 INT; do
        rm -f begun
        FAKE_WORKER="*=slow:100" start_run
        # A shell starts background jobs with SIGINT ignored; depthq listens.
        wait_for said '^frame=1002 state=done'
        kill "-$name" "$depthq"
        end_run
        [ "$status" -eq 75 ]
    done
}

@test "a frame that takes longer than the grace time is killed and handed back" {
    export FAKE_WORKER="1003=hang"
    start_run --grace 0.5
    wait_for begun ' 1003 '
    kill -TERM "$depthq"
    end_run
    [ "$status" -eq 75 ]
    grep -q '^frame=1003 state=ready attempt=1' said
    ! kill -0 "$(tail -1 begun | cut -d' ' -f1)" 2> /dev/null
}

@test "a second signal hurries" {
    export FAKE_WORKER="1003=hang"
    start_run --grace 10000
    wait_for begun ' 1003 '
    kill -TERM "$depthq"
    wait_for said 'no more frames are begun'
    kill -TERM "$depthq"
    end_run
    [ "$status" -eq 75 ]
}

@test "a signal while the workers start ends it at once" {
    export FAKE_WORKER="start=hang"
    start_run --grace 10000
    # Waits for the worker: it is a child of depthq.
    for _ in $(seq 100); do
        pgrep -P "$depthq" > /dev/null && break
        sleep 0.05
    done
    kill -TERM "$depthq"
    end_run
    [ "$status" -eq 75 ]
}

@test "when depthq is killed its worker goes with it" {
    export FAKE_WORKER="1003=hang"
    start_run
    wait_for begun ' 1003 '
    worker="$(tail -1 begun | cut -d' ' -f1)"
    kill -0 "$worker"
    kill -9 "$depthq"
    end_run
    for _ in $(seq 100); do
        kill -0 "$worker" 2> /dev/null || return 0
        sleep 0.05
    done
    return 1
}
