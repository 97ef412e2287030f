# depthq pull: a depth pass in an artist's folder, every file of it as it was
# delivered, and a word first about what is wrong with it.

setup() {
    load helpers
    load queue
    load_programs
    export DEPTHQ_MODELS=$PWD/library XDG_DATA_HOME=$PWD/data DEPTHQ_STATE=$PWD/state
    unset DEPTHQ_SOCKET XDG_RUNTIME_DIR
    plates 1001-1004
    add_version 1.0.0 identity
    job 1001-1004
    sed -i 's|./net.fake|mine|' shot.yaml
    depthq run shot.yaml --progress plain >/dev/null
}

teardown() { kill_daemon; }

pull() { run depthq pull shot.yaml --to mine "$@"; }

# pulled FRAME...: these frames are in the folder as they are on the farm, and no other
pulled() {
    local frame
    for frame in "$@"; do cmp "depth/d.$frame.exr" "mine/d.$frame.exr" || return 1; done
    [ "$(find mine -name '*.exr' | wc -l)" -eq $# ] || { ls -la mine; return 1; }
    [ -z "$(find mine -name '*.tmp')" ]
}

@test "a shot comes whole, with a node that Nuke reads" {
    pull
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "shot: 4 pulled (4 "*"), to $PWD/mine/d.####.exr" ]]
    [ "${lines[1]}" = "$PWD/mine/d.nk" ]
    pulled 1001 1002 1003 1004
    grep -qx " file \"$PWD/mine/d.####.exr\"" mine/d.nk
    grep -qx ' first 1001' mine/d.nk
    grep -qx ' last 1004' mine/d.nk
    grep -qx ' format "160 96 0 0 160 96 1 "' mine/d.nk
    grep -qx ' label "mine@1.0.0.ndepth.Z inverse, relative.nZDefocus math: far=0"' mine/d.nk
}

@test "what is there and right is not copied again" {
    pull --copy --frames 1001-1002
    [ "$status" -eq 0 ]
    pulled 1001 1002
    before=$(stat -c %i mine/d.1001.exr mine/d.1002.exr)
    pull --copy
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "shot: 4 pulled (2 there, 2 copy)"* ]]
    [ "$before" = "$(stat -c %i mine/d.1001.exr mine/d.1002.exr)" ]
    pulled 1001 1002 1003 1004
}

@test "a pull that is killed goes on where it was" {
    DQ_FAULT=publish.rename:3=kill pull --copy
    [ "$status" -eq 137 ]
    [ "$(find mine -name '*.exr' -not -name '.*' | sort | tr '\n' ' ')" = "mine/d.1001.exr mine/d.1002.exr " ]
    pull --copy
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "shot: 4 pulled (2 there, 2 copy)"* ]]
    for frame in 1001 1002 1003 1004; do cmp depth/d.$frame.exr mine/d.$frame.exr; done
}

@test "copies are files of their own, also after they came as links" {
    pull
    pull --copy
    [ "$status" -eq 0 ]
    echo scribble >>mine/d.1001.exr
    run depthq stale shot.yaml
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
}

@test "a frame altered after its delivery is refused by name, the others come" {
    printf X | dd of=depth/d.1002.exr bs=1 seek=200 conv=notrunc status=none
    touch -r depth/d.1001.exr depth/d.1002.exr
    pull
    [ "$status" -eq 1 ]
    [[ $output == *"frame 1002: $PWD/depth/d.1002.exr: was altered after it was delivered"* ]]
    [[ $output == *"3 pulled"*"1 not (1002)"* ]]
    pulled 1001 1003 1004
    pull --frames 1002
    [ "$status" -eq 65 ]
}

@test "what is missing, stale or suspect is said before anything is copied" {
    rm depth/d.1001.exr
    cp plate/p.1004.exr plate/p.1003.exr
    pull
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "shot: missing: 1001" ]
    [ "${lines[1]}" = "shot: stale, plate changed: 1003" ]
    pulled 1002 1003 1004
    add_version 2.0.0 luma
    pull
    [[ $output == *"shot: stale, model changed (made by mine@1.0.0): 1002,1004"* ]]
}

@test "a suspect frame comes with a warning" {
    fake flat
    job 1001-1004
    depthq run shot.yaml --progress plain
    pull
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "shot: suspect, depth is flat"*": 1001-1004" ]]
    pulled 1001 1002 1003 1004
}

@test "what another pull is just writing is left alone, however old its source" {
    mkdir mine
    touch -d '2 hours ago' mine/.d.1001.exr.pull-4711.tmp
    pull
    [ "$status" -eq 0 ]
    [ -e mine/.d.1001.exr.pull-4711.tmp ]
}

@test "a newer version replaces the older one, and never a file of somebody's own" {
    pull --copy
    add_version 2.0.0 luma
    depthq run shot.yaml --progress plain
    echo "a painting" >mine/d.1003.exr
    echo "a script" >mine/d.nk
    pull --copy
    [ "$status" -eq 1 ] || [ "$status" -eq 73 ] || { echo "$status: $output"; false; }
    [[ $output == *"frame 1003: $PWD/mine/d.1003.exr: is there and was never this frame"* ]]
    [[ $output == *"mine/d.nk: is there and depthq pull did not write it"* ]]
    [ "$(cat mine/d.nk)" = "a script" ]
    cmp depth/d.1001.exr mine/d.1001.exr
    [ "$(cat mine/d.1003.exr)" = "a painting" ]
    pull --copy --replace
    [ "$status" -eq 0 ]
    grep -q '^Read {' mine/d.nk
    pull --copy # its own may be written again
    [ "$status" -eq 0 ]
    pulled 1001 1002 1003 1004
}

@test "frames are chosen by model, by alias and by day" {
    depthq models alias mine@show=1.0.0
    add_version 2.0.0 luma
    depthq run shot.yaml --frames 1001-1002 --progress plain
    pull --model mine@2.0.0
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "shot: made by mine@1.0.0, not by mine@2.0.0: 1003-1004" ]
    pulled 1001 1002
    rm -r mine
    pull --model mine@show
    [[ $output == *"not by mine@show: 1001-1002"* ]]
    pulled 1003 1004
    rm -r mine
    pull --model other
    [ "$status" -eq 66 ]
    [ ! -e mine ]
    pull --as-of 2001-01-01
    [ "$status" -eq 66 ]
    [[ $output == *"made after 2001-01-01 (then not there yet): 1001-1004"* ]]
    when=$(depthq history depth/d.1003.exr --json | json 'v[0]["frames"][0]["versions"][0]["when"]')
    pull --as-of "$when" --frames 1003
    [ "$status" -eq 0 ]
    pull --as-of "$(date -d tomorrow +%F)"
    [ "$status" -eq 0 ]
    pulled 1001 1002 1003 1004
}

@test "what a replaced frame was at a day is told" {
    add_version 2.0.0 luma
    python3 - <<'PY'
import glob
for path in glob.glob("depth/.depthq/*/done/*.json"):
    text = open(path).read()
    at = text.index('"when":"') + 8
    open(path, "w").write(text[:at] + "2020-05-05" + text[at + 10:])
PY
    depthq run shot.yaml --frames 1001 --progress plain
    pull --as-of 2020-06-01
    [ "$status" -eq 1 ]
    [[ $output == *"made after 2020-06-01 (then made by mine@1.0.0): 1001"* ]]
    pulled 1002 1003 1004
}

@test "a folder, a pattern and a file are as good as the job" {
    for word in depth "depth/d.####.exr"; do
        rm -rf mine
        run depthq pull "$word" --to mine
        [ "$status" -eq 0 ]
        pulled 1001 1002 1003 1004
    done
    rm -rf mine
    run depthq pull depth/d.1002.exr --to mine
    [ "$status" -eq 0 ]
    pulled 1002
    grep -qx ' first 1002' mine/d.nk
}

@test "a pull that watches goes on as frames arrive, and ends with the last" {
    rm -r depth
    depthq pull shot.yaml --to mine --watch >said 2>&1 3>&- &
    watcher=$!
    until_true grep -q "shot: missing: 1001-1004" said
    until_true grep -q "no queue is known here: waiting for whoever makes what is missing" said
    depthq run shot.yaml --frames 1002 --progress plain
    until_true cmp depth/d.1002.exr mine/d.1002.exr
    [ ! -e mine/d.1001.exr ]
    before=$(stat -c %i mine/d.1002.exr)
    depthq run shot.yaml --progress plain
    status=0
    wait $watcher || status=$?
    [ "$status" -eq 0 ] || { cat said; false; }
    pulled 1001 1002 1003 1004
    [ "$before" = "$(stat -c %i mine/d.1002.exr)" ]
    grep -qx ' last 1004' mine/d.nk
    grep -q "4 pulled" said
    ! grep -w there said # once brought, a frame is not brought again
}

@test "a pull that watches is stopped by a signal and has what there is" {
    rm depth/d.1003.exr
    depthq pull shot.yaml --to mine --watch >said 2>&1 3>&- &
    watcher=$!
    until_true cmp depth/d.1004.exr mine/d.1004.exr
    kill -TERM $watcher
    status=0
    wait $watcher || status=$?
    [ "$status" -eq 75 ] || { cat said; false; }
    pulled 1001 1002 1004
    grep -q "3 pulled.*1 not (1003)" said
}

@test "a pull that watches a job ends with it, also when frames do not come" {
    rm -r depth
    echo scribble >plate/p.1003.exr
    touch -d '1 hour ago' plate/p.1003.exr
    start_daemon --threads 1
    depthq submit shot.yaml --hold
    depthq pull shot.yaml --to mine --watch >said 2>&1 3>&- &
    watcher=$!
    until_true grep -q "job 1 makes what is missing; it is held" said
    depthq resume 1
    status=0
    wait $watcher || status=$?
    [ "$status" -eq 1 ] || { cat said; false; }
    grep -q "job 1 is over (failed): no more frames come" said
    grep -q "3 pulled.*1 not (1003)" said
    pulled 1001 1002 1004
    # its number says which job is meant, before and after its end
    rm -r mine depth/.depthq/*/done/*1002*
    run depthq pull 1 --to mine --watch
    [ "$status" -eq 1 ]
    [[ $output == *"not known to depthq (no record): 1002"*"job 1 is over (failed): no more frames come"* ]]
    pulled 1001 1004
    depthq rm 1
    run depthq pull 1 --to mine --watch
    [ "$status" -eq 66 ]
}

@test "a pull that watches goes on while any job makes frames of the pass" {
    rm -r depth
    sed 's/^frames:.*/frames: 1001-1002/' shot.yaml >first.yaml
    sed 's/^frames:.*/frames: 1003-1004/' shot.yaml >second.yaml
    start_daemon --threads 1
    depthq submit first.yaml second.yaml --hold
    depthq pull shot.yaml --to mine --watch >said 2>&1 3>&- &
    watcher=$!
    until_true grep -q "job 2 makes what is missing; it is held" said
    depthq resume 2
    until_true grep -q "job 1 makes what is missing; it is held" said
    depthq resume 1
    status=0
    wait $watcher || status=$?
    [ "$status" -eq 0 ] || { cat said; false; }
    pulled 1001 1002 1003 1004
    run grep -q "is over" said
    [ "$status" -eq 1 ]
}

@test "a job of the queue is found by its number, also when its file is gone or says otherwise" {
    run depthq pull 1 --to mine
    [ "$status" -eq 69 ]
    start_daemon --threads 1
    depthq submit shot.yaml --watch
    run depthq pull 1 --to mine
    [ "$status" -eq 0 ]
    [[ $output != *"what is stale"* ]]
    pulled 1001 1002 1003 1004
    sed -i 's|depth/d|depth/e|' shot.yaml
    rm -r mine
    run depthq pull 1 --to mine
    [ "$status" -eq 0 ]
    pulled 1001 1002 1003 1004
    rm shot.yaml
    run depthq history 1
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$PWD/depth/d.####.exr" ]
    run depthq pull 7 --to mine
    [ "$status" -eq 66 ]
    [[ $output == *"no such job of the queue is known"* ]]
    mkdir 7
    run depthq pull 7 --to mine
    [[ $output == *"depthq has made nothing there"* ]]
}

@test "a machine without model and plates pulls all the same, and says what it cannot know" {
    rm -r library plate
    pull
    [ "$status" -eq 0 ]
    [[ $output == *"shot: what is stale is not known here: "* ]]
    pulled 1001 1002 1003 1004
}

@test "the list tells what there is, of every pass of a folder" {
    sed 's|depth/d|depth/e|' shot.yaml >other.yaml
    depthq run other.yaml --frames 1001 --progress plain
    run depthq pull depth --list
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$PWD/depth/d.####.exr" ]
    [[ ${lines[2]} == "mine@1.0.0  1001-1004"* ]]
    [ "${lines[3]}" = "$PWD/depth/e.####.exr" ]
    [[ ${lines[5]} == "mine@1.0.0  1001 "* ]]
    [ "$(depthq pull shot.yaml --list --json | json '[(p["name"], [m["model"] for m in p["models"]]) for p in v]')" = \
        "[('shot', ['mine@1.0.0'])]" ]
    [ ! -e mine ]
}

@test "as JSON, every frame has its state, version and digest" {
    rm depth/d.1001.exr
    run bash -c 'depthq pull shot.yaml --to mine --copy --json 2>/dev/null'
    [ "$status" -eq 1 ]
    [ "$(json '[(f["frame"], f["state"]) for f in v["frames"]]' <<<"$output")" = \
        "[(1001, 'missing'), (1002, 'pulled'), (1003, 'pulled'), (1004, 'pulled')]" ]
    sum=$(sha256sum mine/d.1002.exr | cut -d ' ' -f 1)
    [ "$(json 'v["frames"][1]["version"]["sha256"], v["frames"][1]["way"], v["nuke"].endswith("/mine/d.nk"), v["exit_status"]' <<<"$output")" = \
        "$sum copy True 1" ]
}

@test "a folder that cannot be written, a full disk and wrong words have their status" {
    echo x >file
    run depthq pull shot.yaml --to file/mine
    [ "$status" -eq 73 ]
    DQ_FAULT=publish.rename:1 pull
    [ "$status" -eq 1 ]
    [[ $output == *"1 not (1001)"* ]]
    pulled 1002 1003 1004
    pull
    [ "$status" -eq 0 ]
    run depthq pull shot.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"--to which folder?"* ]]
    pull --as-of yesterday
    [ "$status" -eq 2 ]
    for day in 2026-02-31 2300-01-01 1066-10-14; do
        pull --as-of $day
        [ "$status" -eq 2 ]
        [[ ${lines[0]} == *"--as-of is a day or a time"*"not '$day'"* ]]
    done
    pull --model @prod
    [ "$status" -eq 2 ]
    pull --frames 7
    [ "$status" -eq 2 ]
    run depthq pull nowhere --to mine
    [ "$status" -eq 66 ]
    run depthq pull --help
    [ "$status" -eq 0 ]
}

@test "a folder on another file system gets copies" {
    [ -w /dev/shm ] || skip "no /dev/shm"
    [ "$(stat -c %d .)" != "$(stat -c %d /dev/shm)" ] || skip "the tests lie on /dev/shm"
    away=$(mktemp -d /dev/shm/dq-pull-XXXXXX)
    run depthq pull shot.yaml --to "$away"
    sums=$(cd "$away" && sha256sum ./*.exr)
    rm -r "$away"
    [ "$status" -eq 0 ]
    [[ $output == *"4 pulled (4 copy)"* ]]
    [ "$sums" = "$(cd depth && sha256sum ./*.exr)" ]
}
