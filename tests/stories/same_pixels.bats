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
    one=$!
    depthq run shot.yaml --progress plain --frames 1005-1012 &
    wait $one
    wait $!
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
