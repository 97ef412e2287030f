# The same bytes from a real network, however the farm cut the work, within one
# execution class: the same device and threads.

setup() {
    load helpers
    load_programs
    if [[ $BUILD == *notorch* ]]; then skip "TORCH=0"; fi
    plates 1001-1005 320x192
}

# shot LINES: of many small tiles that must be aligned, by the demo network
shot() {
    job 1001-1005 "tiles: {size: 128}"$'\n'"$1"
    sed -i 's|^model:.*|model: demo-depth|' shot.yaml
}

run_all() { depthq run shot.yaml --progress plain --device cpu --threads 1 "$@"; }

# cut_up: shuffled chunks, then two workers, each give the bytes of one run
cut_up() {
    local one_piece
    run_all
    one_piece=$(depth_sums)
    [ "$(wc -l <<<"$one_piece")" -eq 5 ]
    rm -rf depth
    for chunk in 1004-1005 1001 1002-1003; do
        run_all --frames $chunk
    done
    outputs_are_whole
    [ "$one_piece" = "$(depth_sums)" ]
    rm -rf depth
    run_all --workers 2
    outputs_are_whole
    [ "$one_piece" = "$(depth_sums)" ]
}

@test "the demo network gives the same bytes in chunks, shuffled, and from two workers" {
    shot ""
    cut_up
}

@test "and so it does in a steady shot" {
    shot "stabilize: shot"
    cut_up
}
