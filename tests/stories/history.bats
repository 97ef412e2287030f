# depthq history: what the frames of a pass are and were, and who made them.

setup() {
    load helpers
    load_programs
    export DEPTHQ_MODELS=$PWD/library XDG_DATA_HOME=$PWD/data
    plates 1001-1003
    add_version 1.0.0 identity
    job 1001-1003
    sed -i 's|./net.fake|mine|' shot.yaml
    depthq run shot.yaml --progress plain >/dev/null
}

# made_by V NET: the next version, and all frames by it
made_by() {
    add_version "$1" "$2"
    depthq run shot.yaml --progress plain >/dev/null
}

history_of() { run depthq history "$@"; }

@test "a shot tells which models have made which of its frames" {
    history_of shot.yaml
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$PWD/depth/d.####.exr" ]
    [[ ${lines[2]} == "mine@1.0.0"*"1001-1003"* ]]
    [ "${#lines[@]}" -eq 3 ]
    sed -i 's/^model:.*/model: mine@2.0.0/' shot.yaml
    add_version 2.0.0 luma
    depthq run shot.yaml --frames 1001-1002 --progress plain
    history_of shot.yaml
    [[ ${lines[2]} == "mine@2.0.0  1001-1002"* ]]
    [[ ${lines[3]} == "mine@1.0.0  1003 "*"1001-1003"* ]]
    [ "$(depthq history shot.yaml --json | json '[(m["model"], m["frames_now"], m["frames"]) for m in v[0]["models"]]')" = \
        "[('mine@2.0.0', '1001-1002', '1001-1002'), ('mine@1.0.0', '1003', '1001-1003')]" ]
}

@test "a file tells its versions, newest first, with digests that are its own" {
    before=$(sha256sum depth/d.1002.exr | cut -d ' ' -f 1)
    made_by 2.0.0 luma
    after=$(sha256sum depth/d.1002.exr | cut -d ' ' -f 1)
    [ "$before" != "$after" ]
    history_of depth/d.1002.exr
    [ "$status" -eq 0 ]
    [[ ${lines[2]} == *"1002"*"mine@2.0.0"*"$after"*"$(hostname) cpu"*"now" ]]
    [[ ${lines[3]} == *"1002"*"mine@1.0.0"*"$before"* ]]
    [ "$(depthq history depth/d.1002.exr --json | json '[f["state"] for f in v[0]["frames"]], [x["sha256"] for x in v[0]["frames"][0]["versions"]]')" = \
        "['there'] ['$after', '$before']" ]
    header=$(depthq inspect --json depth/d.1002.exr | json 'v[0]["parts"][0]["depthq"]["depthq/fingerprint"]')
    [ "$(depthq history depth/d.1002.exr --json | json 'v[0]["frames"][0]["versions"][0]["fingerprint"]')" = "$header" ]
}

@test "a second run and touched files are no new versions" {
    depthq run shot.yaml --progress plain
    touch plate/p.1001.exr depth/d.1002.exr
    depthq run shot.yaml --progress plain
    history_of shot.yaml --frames 1001-1003
    [ "${#lines[@]}" -eq 5 ]
}

@test "an altered and a lost frame are told" {
    printf x >>depth/d.1001.exr
    rm depth/d.1002.exr
    history_of shot.yaml --frames 1001-1003
    [ "$status" -eq 0 ]
    [[ ${lines[2]} == *1001*altered ]]
    [[ ${lines[3]} == *1002*missing ]]
    [[ ${lines[4]} == *1003*now ]]
}

@test "the pass is found by folder, pattern, and a file that is gone" {
    for word in depth depth/d.####.exr depth/d.%04d.exr "depth/d.\$F4.exr"; do
        history_of "$word"
        [ "$status" -eq 0 ]
        [ "${lines[0]}" = "$PWD/depth/d.####.exr" ]
        [[ ${lines[2]} == "mine@1.0.0"*"1001-1003"* ]]
    done
    rm depth/d.1003.exr
    history_of depth/d.1003.exr
    [ "$status" -eq 0 ]
    [[ ${lines[2]} == *"mine@1.0.0"*missing ]]
}

@test "records of an older depthq are understood, and their model is in the header" {
    python3 - <<'PY'
import glob, json
for path in glob.glob("depth/.depthq/*/done/*.json"):
    record = json.loads(open(path).read())
    del record["made"]
    open(path, "w").write(json.dumps(record, separators=(",", ":")))
PY
    run depthq stale shot.yaml
    [ "$output" = "shot.yaml: 0 of 3 frames are stale" ]
    history_of shot.yaml
    [[ ${lines[2]} == "mine@1.0.0"*"1001-1003"* ]]
    made_by 2.0.0 luma
    history_of shot.yaml --frames 1001
    [[ ${lines[2]} == *"mine@2.0.0"* ]]
    [[ ${lines[3]} == *"unknown"* ]]
}

@test "what was never made, a folder of several passes and wrong words have their status" {
    mkdir empty
    history_of empty
    [ "$status" -eq 66 ]
    [[ $output == *"depthq has made nothing there"* ]]
    history_of depth/none.exr
    [ "$status" -eq 66 ]
    sed 's|depth/d|depth/e|' shot.yaml >other.yaml
    depthq run other.yaml --progress plain
    history_of depth
    [ "$status" -eq 2 ]
    [[ $output == *"2 depth passes (d.####.exr, e.####.exr); name one"* ]]
    history_of shot.yaml --frames 1-
    [ "$status" -eq 2 ]
    history_of shot.yaml --frames 999
    [ "$status" -eq 2 ]
    [[ $output == *"not among the job's frames"* ]]
    history_of
    [ "$status" -eq 2 ]
    sed -i 's/frames/fraems/' shot.yaml
    history_of shot.yaml
    [ "$status" -eq 65 ]
    [[ $output == *"did you mean 'frames'"* ]]
}

@test "the history is there without the model and the plates" {
    rm -r library plate
    history_of shot.yaml
    [ "$status" -eq 0 ]
    [[ ${lines[2]} == "mine@1.0.0"*"1001-1003"* ]]
}
