# A shot steadied over time: scanned, solved, frozen; the same bytes however it was cut.

setup() {
    load helpers
    load_programs
    fake affine
}

steady() { job "$1" "stabilize: shot"$'\n'"${2:-}"; }

run_all() { depthq run shot.yaml --progress plain "$@"; }

folder() { echo depth/.depthq/*; }

# scale_shift FRAME: what its header says
scale_shift() { depthq inspect "depth/d.$1.exr" | sed -n 's|^ *depthq/scale_shift *||p'; }

median_of() { depthq inspect "depth/d.$1.exr" | sed -n 's|.*median \([^; ]*\).*|\1|p'; }

# spread: largest over least median of the frames
spread() {
    local file
    for file in depth/d.*.exr; do depthq inspect "$file" | sed -n 's|.*median \([^; ]*\).*|\1|p'; done |
        sort -g | awk 'NR == 1 {low = $1} {high = $1} END {print high / low}'
}

no_nan() {
    local file
    for file in depth/d.*.exr; do
        ! depthq inspect "$file" | grep -qiE 'depth .*(nan|inf)' || return 1
    done
    outputs_are_whole
}

# flat_plate FRAME VALUE
flat_plate() {
    oiiotool --pattern constant:color="$2,$2,$2" 160x96 3 -d half -o "plate/p.$1.exr"
    touch -d '1 hour ago' "plate/p.$1.exr"
}

@test "a locked-off camera gives one depth in every frame, where frames alone flicker" {
    # a world in which only 0.4 % of the pixels move: the median is the picture's
    depthq-scene made --seed 11 --frames 1001-1012 --size 160x96 --camera static --grain 0.002
    mkdir plate && for f in made/plate.*.exr; do mv "$f" "plate/p.${f#made/plate.}"; done
    touch -d '1 hour ago' plate/*
    job 1001-1012
    run_all
    alone=$(spread)
    rm -rf depth
    steady 1001-1012
    run_all
    together=$(spread)
    echo "largest median over least: alone $alone, together $together"
    awk "BEGIN {exit !($alone > 1.1 && $together < 1.01)}"
}

@test "chunks of 7 on three workers give the bytes of one run in one piece" {
    # DEPTHQ_SHOT_FRAMES=240 for a shot of a usual length
    local count=${DEPTHQ_SHOT_FRAMES:-24} last first end
    last=$((1000 + count))
    plates 1001-$last
    steady 1001-$last
    run_all
    one_piece=$(depth_sums)
    [ "$(wc -l <<<"$one_piece")" -eq "$count" ]
    rm -rf depth
    # every other chunk, and then those between
    for first in $(seq 1008 14 $last) $(seq 1001 14 $last); do
        end=$((first + 6))
        run_all --workers 3 --threads 1 --frames $first-$((end < last ? end : last))
    done
    outputs_are_whole
    [ "$one_piece" = "$(depth_sums)" ]
    run_job
    [[ $output == *"skipped $count"* ]]
}

@test "runs side by side solve the shot once and give the bytes of one" {
    plates 1001-1012
    steady 1001-1012
    run_all
    one_piece=$(depth_sums)
    rm -rf depth
    run_all --frames 1001-1006 &
    one=$!
    run_all --frames 1005-1012 &
    wait $one
    wait $!
    outputs_are_whole
    [ "$one_piece" = "$(depth_sums)" ]
}

@test "stages apart give the bytes of a run that does all" {
    plates 1001-1008
    steady 1001-1008
    run_all
    one_piece=$(depth_sums)
    rm -rf depth
    run_all --stage scan --frames 1005-1008
    run depthq run shot.yaml --stage render --progress plain
    [ "$status" -eq 66 ]
    [[ $output == *shot.json* ]]
    run_all --stage scan --frames 1001-1004
    run_all --stage solve
    [ ! -e depth/d.1001.exr ]
    run_all --stage render
    [ "$one_piece" = "$(depth_sums)" ]
    job 1001-1008
    run depthq run shot.yaml --stage solve
    [ "$status" -eq 2 ]
    [[ $output == *"stabilize: shot"* ]]
}

# Workers and whole runs die in scans, the solve and renders. Seed and counts are printed where it fails.
@test "killed again and again, a shot ends with the same bytes" {
    plates 1001-1008
    fake affine '"slow_ms": 5,'
    steady 1001-1008
    run_all
    one_piece=$(depth_sums)
    seed=${DEPTHQ_SEED:-4711} rounds=${DEPTHQ_KILLS:-20} stopped=0
    RANDOM=$seed
    while [ $stopped -lt "$rounds" ]; do
        rm -rf depth
        for _ in 1 2 3 4; do
            run_all --workers 2 --threads 1 >log 2>&1 &
            run=$!
            sleep "0.$(printf %02d $((RANDOM % 50 + 2)))"
            for worker in $(pgrep -P $run depthq-worker); do kill -9 "$worker" 2>/dev/null || true; done
            if [ $((RANDOM % 3)) -gt 0 ] && kill -9 $run 2>/dev/null; then stopped=$((stopped + 1)); fi
            wait $run || true
        done
        run_all >log 2>&1 || { cat log; false; }
        echo "seed $seed: $stopped runs killed"
        depthq inspect depth/d.*.exr >/dev/null
        [ "$one_piece" = "$(depth_sums)" ]
    done
}

@test "a frame that comes later is fitted, and no delivered frame changes" {
    plates 1001-1012
    mkdir later && mv plate/p.1006.exr plate/p.1012.exr later
    steady 1001-1012
    run run_all
    [ "$status" -eq 1 ]
    [[ $output == *"failed 2 (1006,1012)"* ]]
    before=$(depth_sums)
    solution=$(sha256sum "$(folder)/shot.json")
    mv later/* plate
    run_job --frames 1012
    [ "$status" -eq 0 ]
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 1, skipped 11"* ]]
    [ "$solution" = "$(sha256sum "$(folder)/shot.json")" ]
    [ -z "$(diff <(echo "$before") <(depth_sums) | grep '^<')" ]
    late=$(depth_sums)
    # its place is noted: without the guides the frame comes out the same
    rm -r "$(folder)/guides" depth/d.1006.exr
    run_job
    [ "$status" -eq 0 ]
    [ "$late" = "$(depth_sums)" ]
}

@test "late frames come out the same in any order" {
    plates 1001-1010
    mkdir later && mv plate/p.100[45].exr later
    steady 1001-1010
    run_all || true
    cp -r depth first
    mv later/* plate
    run_all --frames 1004
    run_all --frames 1005
    forth=$(depth_sums)
    rm -r depth && mv first depth
    run_all --frames 1005 --workers 2
    run_all --frames 1004
    [ "$forth" = "$(depth_sums)" ]
}

@test "a replaced plate is fitted to the frozen shot, and --resolve makes a new one" {
    plates 1001-1008
    steady 1001-1008
    run_all
    before=$(depth_sums)
    solution=$(cat "$(folder)/shot.json")
    depthq-scene again --seed 7 --frames 1001-1008 --size 160x96 --camera dolly --grain 0.02
    mv again/plate.1003.exr plate/p.1003.exr
    touch -d '1 hour ago' plate/*
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 1, skipped 7"* ]]
    [ "$(diff <(echo "$before") <(depth_sums) | grep -c '^<')" -eq 1 ]
    [ "$solution" = "$(cat "$(folder)/shot.json")" ]
    [ -e "$(folder)/guides/1003-solved.exr" ]
    # all of them at once, and still no new solution
    for f in again/plate.*.exr; do mv "$f" "plate/p.${f#again/plate.}"; done
    touch -d '1 hour ago' plate/*
    run_job
    [ "$status" -eq 0 ]
    [ "$solution" = "$(cat "$(folder)/shot.json")" ]
    run_job --resolve
    [ "$status" -eq 0 ]
    [ "$solution" != "$(cat "$(folder)/shot.json")" ]
    new=$(depth_sums)
    rm -rf depth
    run_all
    [ "$new" = "$(depth_sums)" ]
}

# frozen_is FILE: shot.json is still that one
frozen_is() { cmp "$1" "$(folder)/shot.json"; }

@test "--stage solve --resolve decides anew from the guides that are there" {
    plates 1001-1008
    steady 1001-1008 "input: {exposure: auto}"
    run_all
    cp "$(folder)/shot.json" before
    # one plate is another, much brighter: a survey made anew would fit no guide
    flat_plate 1003 40
    run_all --stage scan --frames 1003
    run_all --stage solve --resolve
    if frozen_is before; then false; fi
    [ "$(grep exposure_ev before)" = "$(grep exposure_ev "$(folder)/shot.json")" ]
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 8 ]
    run_all --stage render
    no_nan
}

@test "a --resolve that fails leaves the shot as it was" {
    plates 1001-1006
    steady 1001-1006
    run_all
    cp "$(folder)/shot.json" before
    rm "$(folder)"/guides/100[46].exr
    run_job --stage solve --resolve
    [ "$status" -eq 66 ]
    frozen_is before
    mv plate away
    run_job --resolve
    [ "$status" -ne 0 ]
    frozen_is before
    mv away plate
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 6"* ]]
}

@test "a solve alone does not freeze a part of a shot that is not scanned yet" {
    plates 1001-1006
    steady 1001-1006
    head -c 2000 plate/p.1002.exr >cut && mv cut plate/p.1002.exr
    touch -d '1 hour ago' plate/*
    run_job --stage scan --frames 1001-1003
    run_job --stage solve --json
    [ "$status" -eq 66 ]
    [[ $output == *"4 of the shot's 6 guides are not there"*"frame 1004 is the first"*"--stage scan"* ]]
    [[ $output == *"failed 1 (solve)"* ]]
    [ "$(grep -c '"stage": *"solve"' <<<"$output")" -ge 1 ]
    [ "$(grep -c '"frame": *0' <<<"$output")" -eq 0 ]
    [ ! -e "$(folder)/shot.json" ]
    run_job --stage scan --frames 1004-1006
    # the one that cannot be scanned is done without
    run_all --stage solve
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 5 ]
}

@test "storage that does not answer is no reason to solve without a frame" {
    plates 1001-1004
    steady 1001-1004
    run_all --stage scan
    # the worker reads the model and the survey, then the guides
    for n in 1 2 3 4 5 6 7 8 9; do
        DQ_FAULT=read:$n run_job --stage solve
        [ ! -e "$(folder)/shot.json" ]
        [[ $output != *guides/100* ]] || break
    done
    [ "$status" -eq 74 ]
    [[ $output == *guides/100*"injected fault"* ]]
    run_all --stage solve
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 4 ]
}

@test "a late frame that was delivered is ours without its record and its place" {
    plates 1001-1006
    mkdir later && mv plate/p.1004.exr later
    steady 1001-1006
    run_all || true
    mv later/* plate
    run_all
    before=$(depth_sums)
    rm -r "$(folder)/late" "$(folder)/done/1004.json"
    run_job
    [ "$status" -eq 0 ]
    [ "$before" = "$(depth_sums)" ]
}

@test "the solve of a long shot tells that it goes on" {
    plates 1001-1008
    steady 1001-1008
    "$BUILD/libexec/depthq/depthq-worker" --one shot.yaml 1001 >told
    [ "$(grep '"stage"' told | grep -c '"solve"')" -ge 16 ]
}

@test "a shot too long for --memory is said to be" {
    plates 1001 384x256
    for frame in $(seq 1002 1050); do cp -p plate/p.1001.exr "plate/p.$frame.exr"; done
    steady 1001-1050
    sed -i 's/"preferred": 64/"preferred": 384/' net.fake
    run_job --memory 16M --threads 1
    [ "$status" -eq 65 ]
    [[ $output == *"shot of 50 frames needs"*"raise --memory"* ]]
    run_all --memory 64M --threads 1 --frames 1001
}

@test "a corrupt frame in mid-shot fails alone; its neighbours are solved without it" {
    plates 1001-1008
    head -c 2000 plate/p.1004.exr >cut && mv cut plate/p.1004.exr
    touch -d '1 hour ago' plate/*
    steady 1001-1008
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"done 7, failed 1 (1004)"* ]]
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 7 ]
    no_nan
}

@test "a damaged guide and one of another model are made again" {
    plates 1001-1006
    steady 1001-1006
    run_all
    before=$(depth_sums)
    guide="$(folder)/guides/1003.exr"
    was=$(sha256sum "$guide")
    rm "$(folder)/shot.json"
    printf 'XXXXXXXXXXXXXXXX' | dd of="$guide" bs=1 seek=5000 conv=notrunc status=none
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 6"* ]]
    [ "$was" = "$(sha256sum "$guide")" ]
    fake affine '"slow_ms": 1,'
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 6"* ]]
    [ "$was" != "$(sha256sum "$guide")" ]
}

@test "shots of one, two and three frames, and a cut at every frame, are sane" {
    for frames in 1001 1001-1002 1001-1003; do
        rm -rf depth plate made
        plates $frames
        steady $frames
        run_all
        no_nan
        [ "$(depthq inspect depth/d.1001.exr | sed -n 's|^ *depthq/stabilize *||p')" = shot ]
    done
    rm -rf depth plate made && mkdir plate
    for frame in 1001 1002 1003 1004; do
        depthq-scene "made$frame" --seed $frame --frames $frame --size 160x96
        mv "made$frame/plate.$frame.exr" "plate/p.$frame.exr"
    done
    touch -d '1 hour ago' plate/*
    steady 1001-1004
    run_all
    no_nan
    [ "$(grep -o '"stretch": [0-9]*' "$(folder)/shot.json" | sort -u | wc -l)" -eq 4 ]
}

@test "black, white and flat plates and a constant network are sane" {
    plates 1001-1006
    flat_plate 1001 0
    flat_plate 1003 100
    flat_plate 1006 0.18
    steady 1001-1006
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"frames show nothing of others: their scale and shift are bridged"* ]]
    grep -q '"determined": "nothing"' "$(folder)/shot.json"
    grep -q '"determined": "scale and shift"' "$(folder)/shot.json"
    no_nan
    rm -rf depth
    for frame in 1001 1002 1003 1004 1005 1006; do flat_plate $frame 0; done
    run_all
    no_nan
    rm -rf depth plate made
    fake flat
    plates 1001-1004
    run_job --frames 1001-1004
    no_nan
}

@test "data windows that move and change size are solved on one lattice" {
    plates 1001-1006
    oiiotool plate/p.1003.exr --origin +9-5 --fullsize 160x96+0+0 -o moved.exr
    oiiotool plate/p.1004.exr --crop 120x70+20+10 -o small.exr
    mv moved.exr plate/p.1003.exr
    mv small.exr plate/p.1004.exr
    touch -d '1 hour ago' plate/*
    steady 1001-1006
    run_all
    no_nan
    run depthq inspect depth/d.1003.exr
    [[ $output == *"(9, -5) to (168, 90)"* ]]
    run depthq inspect depth/d.1004.exr
    [[ $output == *"(20, 10) to (139, 79)"* ]]
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 6 ]
}

# The fake's sky is the plates' blue.
@test "a shot that is all sky is sane" {
    sed -i 's/"output": {/"output": {"channels": 2, "sky": 1, /' net.fake
    plates 1001-1004
    for frame in 1001 1002 1003 1004; do flat_plate $frame 3; done
    steady 1001-1004
    run_all
    no_nan
    run depthq inspect depth/d.1002.exr
    [[ $output == *"depthq/sky"* ]]
}

@test "a metric network's scale is left as it is" {
    sed -e 's/"scale": "affine"/"scale": "metric", "unit": "m"/' -e 's/"disparity"/"distance"/' -e 's/"affine"/"luma"/' \
        net.fake >metric && mv metric net.fake
    plates 1001-1010
    steady 1001-1010
    run_all
    no_nan
    for frame in 1001 1005 1010; do
        read -r scale shift <<<"$(scale_shift $frame)"
        echo "$frame: $scale $shift"
        awk "BEGIN {exit !($scale > 0.9 && $scale < 1.1 && $shift == 0)}"
    done
}

@test "a shot whose tiles are not aligned is refused with the remedy" {
    plates 1001
    steady 1001 "tiles: {align: off}"
    run_job
    [ "$status" -eq 65 ]
    [[ $output == *"align: auto"* ]]
}

@test "a shot that an odd plate was solved from alone is solved anew when the others are there" {
    plates 1001-1005
    odd_plate 1001
    mkdir later && mv plate/p.100[2345].exr later
    steady 1001-1005
    run_job
    [ "$status" -eq 1 ]
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 1 ]
    mv later/* plate
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"p.1001.exr: its display window"* ]]
    [[ $output == *"done 4, failed 1 (1001)"* ]]
    [ "$(grep -c '"frame":' "$(folder)/shot.json")" -eq 4 ]
    before=$(sha256sum depth/d.100[2345].exr)
    cp -p whole.1001 plate/p.1001.exr
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 1, skipped 4"* ]]
    [ "$before" = "$(sha256sum depth/d.100[2345].exr)" ]
    no_nan
}
