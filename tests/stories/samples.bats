# The films and windows that OpenEXR gives away, through depthq run: every
# output mode that is defined for them, windows unchanged. Without the samples
# (DEPTHQ_SAMPLES, else ../shared/samples) these stories are skipped.

setup() {
    load helpers
    load_programs
    samples=${DEPTHQ_SAMPLES:-$BATS_TEST_DIRNAME/../../../shared/samples}
    [ -d "$samples/Beachball" ] || skip "no samples in $samples"
    fake identity
    exrinfo=$BATS_TEST_DIRNAME/../../build/deps/openexr-3.5.3/bin/exrinfo
    [ -x "$exrinfo" ] || exrinfo=exrinfo
}

# ball KIND FRAMES [OUTPUT_LINES [INPUT]]: Beachball as KIND (singlepart, multipart)
ball() {
    rm -rf depth
    cat >shot.yaml <<YAML
depthq: 1
plate: $samples/Beachball/$1.####.exr
frames: $2
model: ./net.fake
retries: 0
tiles: {size: 1024}
input: {${4:-}}
output:
  path: depth/d.####.exr
${3:-}
YAML
}

# headers FILE: a line a part, as exrinfo says it: name, data window, display window, pixel aspect, channels
headers() {
    "$exrinfo" -v "$1" | awk '
        function show() { if (data) print name "|" data "|" display "|" aspect "|" channels }
        / part [0-9]+:/ { show(); name = $3; data = channels = "" }
        /dataWindow:/ { sub(/.*box2i /, ""); data = $0 }
        /displayWindow:/ { sub(/.*box2i /, ""); display = $0 }
        /pixelAspectRatio:/ { aspect = $NF }
        / samp [0-9]/ { sub(/^ *\x27/, ""); sub(/\x27.*/, ""); channels = channels " " $0 }
        END { show() }'
}

# oiiotool starts slowly: it is given many files at once.
# windows FILES: size, windows and aspect of each first part as OpenImageIO sees them
windows() {
    oiiotool --info -v "$@" | awk '
        match($0, / : +[0-9]+ x +[0-9]+/) { print substr($0, RSTART, RLENGTH) }
        /pixel data origin|full.display|PixelAspectRatio/ { print }'
}

# same_pixels [OPTION...] -- FILE FILE ...: the files of each pair are the same
# to a bit, of what the options choose ("--subimage 3", "--ch R,G")
same_pixels() {
    local choose=() words=() fail=(--fail 0 --failpercent 0 --hardfail 0)
    while [ "$1" != -- ]; do choose+=("$1"); shift; done
    shift
    while [ $# -gt 0 ]; do
        words+=("$1" "${choose[@]}" "$2" "${choose[@]}" --diff --pop --pop)
        shift 2
    done
    oiiotool "${fail[@]}" "${words[@]}"
}

part_named() { headers "$1" | grep -F "$2|"; }

@test "depth of Beachball's single part keeps the windows of every frame, which move" {
    ball singlepart 1-8
    sed -i 's/size: 1024/size: 512/' shot.yaml # several tiles
    run_job
    [ "$status" -eq 0 ]
    for f in 1 2 3 4 5 6 7 8; do
        want=$(headers "$samples/Beachball/singlepart.000$f.exr" | cut -d'|' -f2-4)
        [ "$(headers depth/d.000$f.exr | cut -d'|' -f2-5)" = "$want| Z" ]
    done
    seen=$(windows depth/d.*.exr)
    [ "$(wc -l <<<"$seen")" -ge 16 ]
    [ "$seen" = "$(windows "$samples"/Beachball/singlepart.*.exr)" ]
    [ "$(oiiotool --stats depth/d.*.exr | grep -c "FiniteCount: [0-9]")" -eq 8 ] # they decode
    [ "$(headers "$samples/Beachball/singlepart.0001.exr" | cut -d'|' -f2)" != \
      "$(headers "$samples/Beachball/singlepart.0008.exr" | cut -d'|' -f2)" ]
    outputs_are_whole
}

@test "in several parts each view's depth has that view's windows" {
    for view in left right; do
        ball multipart 1,8 "" "view: $view"
        run_job
        [ "$status" -eq 0 ]
        for f in 1 8; do
            want=$(part_named "$samples/Beachball/multipart.000$f.exr" rgba_$view | cut -d'|' -f2-4)
            [ "$(headers depth/d.000$f.exr | cut -d'|' -f2-4)" = "$want" ]
            "$exrinfo" -v depth/d.000$f.exr | grep -q "view: string '$view'"
        done
        sums[${#sums[@]}]=$(oiiotool --hash depth/d.0001.exr)
    done
    [ "${sums[0]}" != "${sums[1]}" ]
}

@test "depth as one more part: ten parts as they were, depth last" {
    for view in left right; do
        ball multipart 1,5 "  mode: part" "view: $view"
        run_job
        [ "$status" -eq 0 ]
        for f in 1 5; do
            plate=$samples/Beachball/multipart.000$f.exr
            [ "$(headers depth/d.000$f.exr | head -n 10)" = "$(headers "$plate")" ]
            want=$(part_named "$plate" rgba_$view | cut -d'|' -f2-4)
            [ "$(headers depth/d.000$f.exr | tail -n 1)" = "depth|$want| Z" ]
        done
        for i in 0 4 9; do
            same_pixels --subimage $i -- depth/d.0001.exr "$samples/Beachball/multipart.0001.exr"
        done
    done
}

@test "depth as a channel of the part that it was made from; the other parts as they were" {
    for view in left right; do
        ball multipart 1 "  mode: channel" "view: $view"
        run_job
        [ "$status" -eq 0 ]
        plate=$samples/Beachball/multipart.0001.exr
        [ "$(headers depth/d.0001.exr | grep -v "^rgba_$view|")" = "$(headers "$plate" | grep -v "^rgba_$view|")" ]
        [ "$(part_named depth/d.0001.exr rgba_$view)" = "$(part_named "$plate" rgba_$view) Z" ]
        i=$(headers "$plate" | grep -n "^rgba_$view|" | cut -d: -f1)
        same_pixels --subimage $((i - 1)) --ch R,G,B,A -- depth/d.0001.exr "$plate"
    done
}

@test "a channel that the plate has already is refused by name, and replaced when told" {
    ball singlepart 1 "  mode: channel"
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"singlepart.0001.exr: the plate has a channel 'Z' already"*"output.replace_channel"* ]]
    ball singlepart 1 "  mode: channel" "view: left"
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"the plate has a channel 'left.Z' already"* ]]
    [ -z "$(find depth -type f -name '*.exr' 2>/dev/null)" ]

    plate=$samples/Beachball/singlepart.0001.exr
    for view in right left; do
        channel=Z
        [ $view = right ] || channel=left.Z
        ball singlepart 1 "  mode: channel
  replace_channel: true" "view: $view"
        run_job
        [ "$status" -eq 0 ]
        [ "$(headers depth/d.0001.exr)" = "$(headers "$plate")" ]
        other=$([ $view = right ] && echo left.Z || echo Z)
        same_pixels --ch R,G,B,A,left.R,left.G,left.B,left.A,"$other" -- depth/d.0001.exr "$plate"
        run same_pixels --ch $channel -- depth/d.0001.exr "$plate"
        [ "$status" -ne 0 ]
    done
}

@test "a new channel of a view carries its name" {
    for view in right left; do
        ball singlepart 1 "  mode: channel
  channel: made.Z" "view: $view"
        run_job
        [ "$status" -eq 0 ]
        want=made.Z
        [ $view = right ] || want=made.left.Z
        [[ "$(headers depth/d.0001.exr | cut -d'|' -f5) " == *" $want "* ]]
    done
}

@test "several views in one part allow no added part: refused by name" {
    ball singlepart 1-2 "  mode: part"
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"singlepart.0001.exr: the plate holds 2 views in one part"*"output.mode"* ]]
    [ -z "$(find . -type f \( -name '*.exr' -o -name '*.tmp' \))" ]
}

# overscan, apart, one shared pixel, and both aspects for the forms that hold the plate too
@test "all sixteen display windows go through unchanged, some of them in every form" {
    mkdir made
    for mode in separate part channel; do
        files="04 09 13 15 16"
        [ $mode != separate ] || files=$(seq -w 16)
        plates=() pairs=()
        for i in $files; do
            rm -rf depth plate
            mkdir plate
            cp -p "$samples/DisplayWindow/t$i.exr" plate/p.1001.exr
            job 1001 "  mode: $mode
tiles: {size: 512}"
            run_job
            [ "$status" -eq 0 ]
            want=$(headers plate/p.1001.exr | cut -d'|' -f2-4)
            [ "$(headers depth/d.1001.exr | cut -d'|' -f2-4 | sort -u)" = "$want" ]
            mv depth/d.1001.exr "made/$mode.$i.exr"
            plates+=("$samples/DisplayWindow/t$i.exr")
            pairs+=("made/$mode.$i.exr" "$samples/DisplayWindow/t$i.exr")
        done
        seen=$(windows made/$mode.*.exr)
        [ "$(wc -l <<<"$seen")" -ge $((2 * ${#plates[@]})) ]
        [ "$seen" = "$(windows "${plates[@]}")" ]
        [ $mode = separate ] || same_pixels --ch R,G,B -- "${pairs[@]}"
    done
    [ "$(find made -name '*.exr' | wc -l)" -eq 26 ]
}
