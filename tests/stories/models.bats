# Models come missing, damaged and misbehaving; nothing half-written stays.

setup() {
    load helpers
    load_programs
    plates 1001-1003
}

no_output() { [ -z "$(find depth -type f -name '*.exr' 2>/dev/null)" ] && [ -z "$(find . -name '*.tmp')" ]; }

@test "a model that is not there is named, with where it was looked for" {
    job 1001-1003
    run_job
    [ "$status" -eq 66 ]
    [[ $output == *"net.fake"* ]]
    sed -i 's|./net.fake|demo-dept|' shot.yaml
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"demo-dept"* ]]
    no_output
}

@test "a model that is no TorchScript says what it looks like" {
    job 1001-1003
    sed -i 's|./net.fake|./net.pt|' shot.yaml
    echo "certainly no network" >net.pt
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"net.pt"*"no TorchScript archive"* ]]
    printf '\x80\x02}q\x00.' >net.pt
    run_job
    [[ $output == *"is a pickle"* ]]
    printf 'PK\003\004 and then nothing' >net.pt
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"cut short"* ]]
    no_output
}

@test "a contract that lies is refused with the place" {
    job 1001-1003
    fake identity
    sed -i 's/"multiple": 32/"multiple": 48/' net.fake
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"preferred"*"48"* ]]
    fake identity
    sed -i 's/"quantity"/"quantitty"/' net.fake
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"did you mean 'quantity'"* ]]
    no_output
}

@test "a network whose runtime is not installed is told with where to name its library" {
    job 1001-1003
    fake identity
    sed -i 's/"runtime": "fake"/"runtime": "of_nobody"/' net.fake
    export XDG_CONFIG_HOME=$PWD/config
    run_job
    [ "$status" -eq 78 ]
    [[ $output == *"runtime 'of_nobody' is not built in"* ]]
    [[ $BUILD == *notorch* || $output == *"no library is named for it in /etc/depthq/runtimes.yaml"* ]]
    no_output
}

@test "a network that answers NaN fails the frame, never a file" {
    job 1001-1003 "tiles: {size: 64}"
    fake nan
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"not finite"* ]]
    no_output
}

@test "a network that throws fails its frames with its words" {
    job 1001-1003
    fake throw '"after": 12,'
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"threw"* ]]
    outputs_are_whole
}

@test "a network that answers the wrong shape is refused" {
    job 1001-1003
    fake wrong-shape
    run_job
    [ "$status" -eq 65 ]
    no_output
}

@test "a network that brings its worker down costs its frames, with an obituary, and no file" {
    job 1001-1003
    fake crash '"after": 12,'
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"signal"* ]]
    outputs_are_whole
}

# pixels: a line a depth file, by a reader that leaves headers out
pixels() { for file in depth/d.*.exr; do oiiotool --hash "$file" | sed -n "s/.*SHA-1: //p"; done; }

@test "out of memory halves the batch and the picture stays the same" {
    fake affine
    job 1001-1003 "tiles: {batch: 1}"
    run_job
    [ "$status" -eq 0 ]
    before=$(pixels)
    [ "$(sort -u <<<"$before" | wc -l)" -eq 3 ]
    rm -rf depth
    # the six tiles of a frame: eight at once do not fit, nor do four
    fake affine '"memory_batch": 2,'
    job 1001-1003 "tiles: {batch: 8}"
    run_job
    [ "$status" -eq 0 ]
    [ "$before" = "$(pixels)" ]
}

@test "a device that is not there is an error, never another device" {
    job 1001-1003
    fake identity
    run_job --device cuda:7
    [ "$status" -eq 69 ]
    [[ $output == *"cuda:7"* ]]
    no_output
}

@test "a relative network asked for distance wants near and far" {
    fake identity
    job 1001-1003 "depth: {kind: distance}"
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"depth.near and depth.far"* ]]
    [[ $output == *"frame=1001 state=failed attempt=0"* ]] # said once, before any frame
    no_output
    job 1001-1003 "depth: {kind: distance, near: 1, far: 50}"
    run_job
    [ "$status" -eq 0 ]
    run depthq inspect depth/d.1001.exr
    [[ $output == *"depthq/kind            distance"* ]]
}
