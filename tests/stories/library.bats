# The model library: versions come in, are promoted, retired and taken out, and
# what is there never changes under a job's feet.

setup() {
    load helpers
    load_programs
    export DEPTHQ_MODELS=$PWD/library XDG_DATA_HOME=$PWD/data DEPTHQ_STATE=$PWD/state
    unset DEPTHQ_SOCKET DEPTHQ_SERVER XDG_RUNTIME_DIR
}

library_sums() { (cd library && find . -type f -exec sha256sum {} + | sort); }

@test "a file becomes a version that jobs find by name" {
    plates 1001-1002
    run add_version 1.0.0
    [ "$status" -eq 0 ]
    [[ $output == "mine@1.0.0 added to $PWD/library" ]]
    rm net.fake
    job 1001-1002
    sed -i 's|./net.fake|mine|' shot.yaml
    run_job
    [ "$status" -eq 0 ]
    run depthq inspect depth/d.1001.exr
    [[ $output == *"mine"*"1.0.0"* ]]
}

@test "list and show tell versions, aliases and files, as text and as JSON" {
    add_version 1.0.0
    add_version 1.10.0
    add_version 1.9.0
    depthq models alias mine@show=1.9.0
    run depthq models list mine
    [ "$status" -eq 0 ]
    [[ $output == "$PWD/library"*"mine@1.0.0"*"mine@1.9.0"*"@show"*"mine@1.10.0"* ]]
    [ "$(depthq models list --library library --json | json 'len(v), v[1]["version"], v[1]["aliases"], v[1]["verdict"]')" = \
        "3 1.9.0 ['show'] None" ]
    run depthq models show mine@show
    [[ $output == *"mine@1.9.0"*"sha256"*"nothing -> 1.9.0"* ]]
    [ "$(depthq models show mine --json | json 'v["version"], v["contract"]["output"]["scale"]')" = "1.10.0 affine" ]
    run depthq models show nine
    [ "$status" -eq 65 ]
    [[ $output == *"did you mean 'mine'"* ]]
}

@test "a job follows an alias, and its frames are made again when it moves" {
    plates 1001-1002
    add_version 1.0.0
    add_version 2.0.0 luma
    depthq models alias mine@show=1.0.0
    job 1001-1002
    sed -i 's|./net.fake|mine@show|' shot.yaml
    run_job
    [ "$status" -eq 0 ]
    run_job
    [[ $output == *"skipped 2"* ]]
    depthq models alias mine@show=2.0.0
    run_job
    [ "$status" -eq 0 ]
    [[ $output != *"skipped 2"* ]]
    run depthq inspect depth/d.1001.exr
    [[ $output == *"2.0.0"* ]]
}

@test "an exported folder goes in whole" {
    version 1.0.0
    DEPTHQ_MODELS=$PWD/export depthq models add net.fake
    version 2.0.0 luma
    DEPTHQ_MODELS=$PWD/export depthq models add net.fake
    run depthq models add --from-export export
    [ "$status" -eq 0 ]
    [ "$(depthq models list --library library --json | json 'len(v)')" = 2 ]
    run depthq models add --from-export nowhere
    [ "$status" -eq 66 ]
}

@test "other bytes under a name that is there are refused, and nothing changes" {
    add_version 1.0.0
    before=$(library_sums)
    run add_version 1.0.0
    [ "$status" -eq 0 ]
    [[ $output == *"there already"* ]]
    run add_version 1.0.0 luma
    [ "$status" -eq 73 ]
    [[ $output == *"raise the version"* ]]
    [ "$before" = "$(library_sums)" ]
}

@test "what is no model is refused, and leaves no library behind" {
    echo "no network" >net.pt
    run depthq models add net.pt
    [ "$status" -eq 65 ]
    fake identity
    sed -i 's/"disparity"/"disparitty"/' net.fake
    run depthq models add net.fake
    [ "$status" -eq 65 ]
    [[ $output == *"net.fake"*"output.quantity"* ]]
    run depthq models add none.pt
    [ "$status" -eq 66 ]
    [ ! -e library ]
}

@test "a full disk leaves the library as it was" {
    add_version 1.0.0
    before=$(library_sums)
    for fault in publish.write:1 publish.write:2 publish.rename:2; do
        DQ_FAULT=$fault run add_version 2.0.0 luma
        [ "$status" -ne 0 ]
        [ "$before" = "$(library_sums)" ]
    done
    DQ_FAULT=publish.write run depthq models alias mine@show=1.0.0
    [ "$status" -eq 75 ]
    [[ $output == *"mine.aliases.json"* ]]
    [ "$before" = "$(library_sums)" ]
}

@test "a version killed while it comes in is not there, or whole" {
    version 1.0.0
    for step in publish.create:1 publish.write:1 publish.fsync:1 publish.rename:1 publish.create:2 publish.write:2 publish.rename:2; do
        rm -rf library
        DQ_FAULT=$step=kill run depthq models add net.fake
        [ "$status" -eq 137 ]
        run depthq models list --library library --json
        [ "$status" -eq 0 ]
        [ "$output" = "[]" ]
    done
    depthq models add net.fake
    depthq models gc --older 0
    [ -z "$(find library -name '*.tmp')" ]
    depthq models show mine
}

@test "what is in use stays; what is taken out is collected" {
    add_version 1.0.0
    add_version 2.0.0 luma
    depthq models alias mine@show=1.0.0
    run depthq models rm mine@1.0.0
    [ "$status" -eq 2 ]
    [[ $output == *"mine@show points to it"* ]]
    depthq models rm mine@2.0.0
    run depthq models gc
    [[ $output == "removed 0 files"* ]] # too young
    run depthq models gc --older 0 --dry-run
    [[ $output == "would remove 1 files"* ]]
    [ "$(depthq models gc --older 0 --json | json 'v["files"], v["removed"]')" = "1 True" ]
    [ "$(find library -name '*.fake' | wc -l)" = 1 ]
}

@test "a retired version is no longer the latest" {
    add_version 1.0.0
    add_version 2.0.0 luma
    depthq models retire mine@2.0.0 --why "flickers on hair"
    [ "$(depthq models show mine --json | json 'v["version"]')" = 1.0.0 ]
    run depthq models show mine@2.0.0
    [[ $output == *"retired"*"flickers on hair"* ]]
    run depthq models alias mine@show=2.0.0
    [ "$status" -eq 65 ]
}

@test "wrong words are told with what was meant" {
    run depthq models lst
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean 'list'"* ]]
    run depthq models
    [ "$status" -eq 2 ]
    run depthq models alias mine
    [ "$status" -eq 2 ]
    [[ $output == *"NAME@ALIAS=VERSION"* ]]
    run depthq models --help
    [ "$status" -eq 0 ]
}

@test "what passed verification goes into production, what failed never" {
    add_version 1.0.0
    run depthq models alias mine@prod=1.0.0
    [ "$status" -eq 65 ]
    [[ $output == *"is not verified"*"depthq models verify mine@1.0.0"* ]]
    run depthq models verify mine@1.0.0
    [ "$status" -eq 0 ]
    [[ $output == *"mine@1.0.0: right on cpu"*"batch 4"*"no golden tile"* ]]
    depthq models alias mine@prod=1.0.0
    add_version 2.0.0 ramp
    run depthq models verify mine@2.0.0
    [ "$status" -eq 65 ]
    [[ $output == *"FAILED on cpu: answers the same for any picture"* ]]
    run depthq models alias mine@prod=2.0.0
    [ "$status" -eq 65 ]
    [[ $output == *"failed verification"* ]]
    [ "$(depthq models show mine@prod --json | json 'v["version"], v["verdict"]["passed"]')" = "1.0.0 True" ]
    run depthq models list mine
    [[ $output == *"verified"*"@prod"*"FAILED"* ]]
}

@test "a network that brings its process down has failed, and the library goes on" {
    for net in crash abort throw wrong-shape nan; do
        add_version "0.0.1-$net" "$net"
        run depthq models verify "mine@0.0.1-$net"
        [ "$status" -eq 65 ]
        [[ $output == *"FAILED"* ]]
    done
    [ "$(depthq models show mine@0.0.1-crash --json | json 'v["verdict"]["passed"], v["verdict"]["text"]')" = \
        "False brought its process down: signal 11 (Segmentation fault)" ]
    [ "$(depthq models verify mine@0.0.1-nan --json 2>/dev/null | json 'v[0]["passed"], v[0]["code"]')" = "False ANSWER" ]
}

@test "what could not be tried has no verdict" {
    add_version 1.0.0
    run depthq models verify mine --device cuda:7
    [ "$status" -eq 69 ]
    [ "$(depthq models show mine --json | json 'v["verdict"]')" = None ]
    run depthq models verify mine --device toaster
    [ "$status" -eq 2 ]
}

@test "an artefact that was altered is found out" {
    add_version 1.0.0
    sed -i 's/identity/identitx/' library/*.fake
    run depthq models verify mine
    [ "$status" -eq 65 ]
    [[ $output == *"FAILED"* ]]
}

@test "a full disk under a listing of models is no success" {
    [ -e /dev/full ] || skip "no /dev/full"
    add_version 1.0.0
    run bash -c 'depthq models list >/dev/full'
    [ "$status" -eq 74 ]
    [[ $output == *"depthq models: standard output: "* ]]
}
