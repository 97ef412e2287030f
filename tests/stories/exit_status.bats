# What depthq exits with, one honest case for each status of base/errors.def,
# with the real worker: farm engines decide by it what becomes of a task.

setup() {
    load helpers
    load_programs
    plates 1001-1004 64x48
    fake identity
    job 1001-1004
}

# cut FILE: as if its copy had stopped just now; cut_short FILE: an hour ago
cut() { truncate -s $(($(stat -c %s "$1") * 7 / 10)) "$1"; }
cut_short() { cut "$1" && touch -d '1 hour ago' "$1"; }

# ends_with STATUS WORDS OPTIONS...: run the shot and compare
ends_with() {
    local want=$1 words=$2
    shift 2
    run_job "$@"
    [ "$status" -eq "$want" ] && [[ "$output" == *"$words"* ]] && outputs_are_whole ||
        { echo "exit $status, not $want with '$words': $output"; return 1; }
}

@test "0: every frame is there" {
    ends_with 0 "shot: done 4, "
    [ "$(ls depth | wc -l)" -eq 4 ]
    ends_with 0 "shot: done 0, skipped 4, "
}

@test "1: some frames failed, the others are done" {
    cut_short plate/p.1002.exr
    ends_with 1 "shot: done 3, failed 1 (1002), "
    [ "$(ls depth | wc -l)" -eq 3 ]
}

@test "2: wrong usage" {
    ends_with 2 "no option '--nonsense'" --nonsense
    ends_with 2 "'0'" --workers 0
    run depthq no-such-command
    [ "$status" -eq 2 ]
    [ ! -e depth ]
}

@test "65: the job file, every plate or the model is wrong" {
    job 1001-1004 "tiles: {size: huge}"
    ends_with 65 "shot.yaml:8:15: "
    job 1001-1004
    fake no-such-net
    ends_with 65 "no-such-net"
    fake throw
    ends_with 65 "the fake network threw"
    fake identity
    for frame in plate/*; do cut_short "$frame"; done
    ends_with 65 "p.1001.exr"
}

@test "66: the plates, a frame's plate or the job file is missing" {
    rm plate/p.1001.exr plate/p.1002.exr plate/p.1003.exr plate/p.1004.exr
    ends_with 66 "p.1001.exr: cannot be opened: No such file"
    run depthq run nowhere.yaml
    [ "$status" -eq 66 ]
}

@test "69: the device is not there" {
    ends_with 69 "cuda:77" --device cuda:77
    [ ! -e depth/d.1001.exr ]
}

@test "70: a defect of depthq's own" {
    mkdir bin
    cp "$BUILD/bin/depthq" bin/
    cp "$BUILD/tools/fake_worker" bin/depthq-worker
    PATH="$PWD/bin:$PATH" FAKE_LOG="$PWD/begun" FAKE_WORKER="*=fail:BUG" run depthq run shot.yaml --progress plain
    [ "$status" -eq 70 ]
    [[ "$output" == *"code=BUG"* ]]
}

@test "73: the output cannot be created, or is there and must not be" {
    touch depth
    ends_with 73 "depth"
    rm depth
    ends_with 0 "done 4"
    sed -i 's|^  path: .*|&\n  existing: fail|' shot.yaml
    ends_with 73 "existing"
}

@test "74: storage fails" {
    DQ_FAULT=publish.rename:1+ ends_with 74 "cannot be renamed into place: Input/output error"
    [ -z "$(find depth -maxdepth 1 -name 'd.*')" ]
}

@test "74: the kernel says I/O error where the output is written" {
    command -v strace >/dev/null || skip "no strace"
    strace -o /dev/null true 2>/dev/null || skip "may not trace"
    mkdir depth
    run strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=EIO depthq run shot.yaml --progress plain
    [ "$status" -eq 74 ] || { echo "exit $status: $output"; false; }
    [[ "$output" == *"Input/output error"* ]]
    [ -z "$(find depth -maxdepth 1 -name 'd.*')" ]
}

# What was piped into a file on a full disk must not pass for a help page.
@test "74: standard output is full, whatever command it is" {
    [ -e /dev/full ] || skip "no /dev/full"
    commands=$(depthq --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
    [ "$(wc -w <<<"$commands")" -ge 20 ]
    for command in $commands; do
        run bash -c "depthq $command --help >/dev/full"
        [ "$status" -eq 74 ] || { echo "depthq $command --help: $status $output"; false; }
        [[ $output == *"No space left on device"* ]]
    done
    for words in "depthq --help" "depthq --version" "depthqd --help" "depthqd --version" "depthqd --print-config" \
        "depthq-scene --help" "depthq schema" "depthq completion bash" "depthq validate shot.yaml"; do
        run bash -c "$words >/dev/full"
        [ "$status" -eq 74 ] || { echo "$words: $status $output"; false; }
    done
}

@test "75: stopped before all was done, and a plate still being written" {
    plates 1001-1012 64x48
    job 1001-1012
    fake slow '"slow_ms": 200,'
    depthq run shot.yaml --progress plain >log 2>&1 &
    run=$!
    for _ in $(seq 600); do grep -q 'survey state=done' log && break; sleep 0.1; done
    kill -TERM $run
    status=0
    wait $run || status=$?
    [ "$status" -eq 75 ] || { cat log; false; }
    outputs_are_whole
    fake identity
    cut plate/p.1002.exr
    ends_with 75 "frame=1002 state=failed attempt=1 code=GROWING"
}

@test "77: not allowed" {
    mkdir depth
    chmod 555 depth
    as_nobody "PATH='$PATH'; depthq run shot.yaml --progress plain"
    [ "$status" -eq 77 ] || { echo "exit $status: $output"; false; }
    [[ "$output" == *"ermission denied"* ]]
}

@test "78: the installation is wrong" {
    mkdir bin
    cp "$BUILD/bin/depthq" bin/
    PATH="$PWD/bin:$PATH" run depthq run shot.yaml
    [ "$status" -eq 78 ]
    [[ "$output" == *"depthq-worker is not installed"* ]]
}

@test "a plate that kills the survey's workers is named" {
    command -v oiiotool >/dev/null || skip "no oiiotool to make a black plate with"
    plates 1001-1004 64x48
    black_plate 1003 64x48
    fake crash '"when": "black",'
    job 1001-1004
    ends_with 1 "survey state=failed"
    [ "$(grep -c 'died: signal 11 .*, with plate 1003' <<<"$output")" -eq 1 ]
    grep -q '^survey state=failed .*with plate 1003' <<<"$output"
}

# The eighth of twenty is no frame of the survey's sample: a frame that kills
# the survey's workers, too, would leave no shot to render.
@test "a frame that kills every worker is charged alone; the others are done, exit 1" {
    command -v oiiotool >/dev/null || skip "no oiiotool to make a black plate with"
    plates 1001-1020 64x48
    black_plate 1008 64x48
    fake crash '"when": "black",'
    job 1001-1020
    sed -i 's/^retries: .*/retries: 2/' shot.yaml
    # a frame published just before its worker died is found, not made again
    ends_with 1 ", failed 1 (1008), "
    [ "$(grep -cE '^frame=[0-9]+ state=(done|skipped) ' <<<"$output")" -eq 19 ]
    grep -q '^frame=1008 state=failed attempt=[0-9]* code=WORKER .*signal 11' <<<"$output"
    [ "$(ls depth | wc -l)" -eq 19 ]
    # no other frame has failed or was charged
    [ "$(grep -c 'state=failed' <<<"$output")" -eq 1 ]
    [ "$(grep '^frame=' <<<"$output" | grep -v '^frame=1008 ' | grep -c ' code=')" -eq 0 ] || { echo "$output"; false; }
    # two retries: three deaths alone, and at most one more in company
    deaths=$(grep -c 'died: signal 11' <<<"$output")
    [ "$deaths" -ge 3 ] && [ "$deaths" -le 4 ] || { echo "$deaths deaths: $output"; false; }
    # and again: nothing but the one frame is tried
    ends_with 1 "shot: done 0, skipped 19, failed 1 (1008), "
}
