# depthq stale: which frames a job would make again, and why, and never a
# frame that it would not.

setup() {
    load helpers
    load_programs
    plates 1001-1004
    fake identity
    job 1001-1004
    depthq run shot.yaml --progress plain >/dev/null
}

stale() { run depthq stale shot.yaml "$@"; }

# made_again: the frames that a run makes, one a line
made_again() { depthq run shot.yaml --progress plain 2>&1 | sed -n 's/.*frame=\([0-9]*\) state=done.*/\1/p' | sort | tr '\n' ' '; }

@test "nothing is stale after a run, nor after files were only touched" {
    stale
    [ "$status" -eq 0 ]
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
    touch plate/p.1002.exr depth/d.1003.exr
    stale
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
}

@test "a changed plate, a lost output and an altered one are told apart" {
    cp plate/p.1004.exr plate/p.1001.exr
    rm depth/d.1002.exr
    printf x >>depth/d.1003.exr
    stale
    [ "$status" -eq 0 ]
    [[ $output == *"shot.yaml: plate changed: 1001"* ]]
    [[ $output == *"shot.yaml: output missing: 1002"* ]]
    [[ $output == *"shot.yaml: output altered: 1003"* ]]
    [[ $output == *"3 of 4 frames are stale" ]]
    stale --changed plate
    [[ $output == *"1001"*"1 of 4 frames are stale" ]]
    [ "$(made_again)" = "1001 1002 1003 " ]
    stale
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
}

@test "another setting makes all frames stale, one that changes no pixel none" {
    job 1001-1004 "  channel: depth.Z"
    stale
    [[ $output == *"shot.yaml: settings changed: 1001-1004"* ]]
    job 1001-1004 "priority: 7"
    stale
    [[ $output == *" 0 of 4 frames are stale" ]]
}

@test "a moved alias makes its frames stale, with the version that made them" {
    export DEPTHQ_MODELS=$PWD/library XDG_DATA_HOME=$PWD/data
    for version in 1.0.0 2.0.0; do
        fake "$([ $version = 1.0.0 ] && echo identity || echo luma)"
        sed -i "s/\"name\": \"fake\", \"version\": \"1\"/\"name\": \"mine\", \"version\": \"$version\"/" net.fake
        depthq models add net.fake
    done
    depthq models alias mine@show=1.0.0
    sed -i 's|./net.fake|mine@show|' shot.yaml
    depthq run shot.yaml --progress plain
    stale
    [[ $output == *" 0 of 4 frames are stale" ]]
    depthq models alias mine@show=2.0.0
    stale
    [ "$status" -eq 0 ]
    [[ $output == *"model changed: 1001-1004 (made by mine@1.0.0, now mine@2.0.0)"* ]]
    [ "$(made_again)" = "1001 1002 1003 1004 " ]
    stale
    [[ $output == *" 0 of 4 frames are stale" ]]
}

@test "as JSON, several jobs at once" {
    rm depth/d.1002.exr
    cp shot.yaml other.yaml
    run depthq stale shot.yaml other.yaml --json
    [ "$status" -eq 0 ]
    [ "$(python3 -c 'import json,sys; v=json.load(sys.stdin); print(len(v), v[0]["frames"], v[1]["stale"])' <<<"$output")" = \
        "2 4 [{'frame': 1002, 'changed': 'output', 'why': 'output missing'}]" ]
}

@test "a stabilized shot is fresh after its run, and stale when a plate changes" {
    job 1001-1004 "stabilize: shot"
    depthq run shot.yaml --progress plain
    stale
    [ "$output" = "shot.yaml: 0 of 4 frames are stale" ]
    cp plate/p.1004.exr plate/p.1001.exr
    stale
    [[ $output == *"plate changed: 1001"*"1 of 4 frames are stale" ]]
}

@test "stale writes nothing" {
    rm depth/d.1002.exr
    before=$(find . -newer shot.yaml -type f | sort; ls -lR --time-style=full-iso depth)
    stale
    [ "$before" = "$(find . -newer shot.yaml -type f | sort; ls -lR --time-style=full-iso depth)" ]
}

@test "a job that is wrong, a model that is gone and wrong words have their status" {
    sed -i 's/frames/fraems/' shot.yaml
    stale
    [ "$status" -eq 65 ]
    [[ $output == *"did you mean 'frames'"* ]]
    job 1001-1004
    rm net.fake
    stale
    [ "$status" -eq 66 ]
    run depthq stale
    [ "$status" -eq 2 ]
    stale --changed weather
    [ "$status" -eq 2 ]
    [[ $output == *"output, plate, model or settings"* ]]
}

@test "a full disk under the list is no success" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c 'depthq stale shot.yaml >/dev/full'
    [ "$status" -eq 74 ]
    [[ $output == *"depthq stale: standard output: "* ]]
}
