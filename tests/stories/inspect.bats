# What is in a frame, and which model made it?

setup() {
    load helpers
    load_programs
    fake affine
    plates 1001-1002
}

@test "a depth file tells its windows, channels, codec, making and numbers" {
    job 1001-1002
    depthq run shot.yaml --progress plain
    run depthq inspect depth/d.1001.exr
    [ "$status" -eq 0 ]
    [[ $output == *$'\n'"  display window   160 x 96  (0, 0) to (159, 95)"* ]]
    [[ $output == *$'\n'"  frames/s         24"* ]]
    [[ $output == *" part 0, scanline, zips"* ]]
    [[ $output == *$'\n'"  channels         Z float"* ]]
    [[ $output == *"depthq/model           fake"* ]]
    [[ $output == *"depthq/model_sha256    $(sha256sum net.fake | cut -d' ' -f1)"* ]]
    [[ $output == *"depthq/plate_sha256    $(sha256sum plate/p.1001.exr | cut -d' ' -f1)"* ]]
    [[ $output == *"depthq/channel         Z"* ]]
}

@test "the JSON says the same as another reader sees" {
    job 1001-1002 "  compression: piz
  type: half"
    depthq run shot.yaml --progress plain
    depthq inspect --json depth/d.1002.exr plate/p.1001.exr >said.json
    oiiotool --stats depth/d.1002.exr >stats
    python3 - <<'PY'
import json, re
depth, plate = json.load(open("said.json"))
part = depth["parts"][0]
assert part["compression"] == "piz", part
assert part["channels"] == [{"name": "Z", "type": "half"}], part
assert part["data_window"] == {"x0": 0, "y0": 0, "x1": 159, "y1": 95, "width": 160, "height": 96}
assert depth["frames_per_second"] == [24, 1] and depth["pixel_aspect"] == 1
assert part["depth"]["pixels"] == 160 * 96 and part["depth"]["not_finite"] == 0
seen = {word: float(value) for word, value in re.findall(r"Stats (Min|Max|Avg): *([-0-9.e]+)", open("stats").read())}
near = lambda a, b: abs(a - b) < 2e-6 * max(1, abs(b))
kept = part["depth"]["pixels"] - part["depth"]["sky_pixels"]
sky = float(part["depthq"]["depthq/sky"])
assert near(part["depth"]["greatest"], seen["Max"]), (part, seen)
assert part["depth"]["least"] >= seen["Min"] - 1e-6
whole = (part["depth"]["mean"] * kept + sky * part["depth"]["sky_pixels"]) / part["depth"]["pixels"]
assert near(whole, seen["Avg"]), (whole, seen)
assert {c["name"] for c in plate["parts"][0]["channels"]} == {"R", "G", "B"}
assert "depth" not in plate["parts"][0] and plate["parts"][0]["depthq"] == {}
PY
}

@test "sky is counted apart and what is not finite is called out" {
    depthq-scene sky --seed 3 --frames 1 --size 64x48
    oiiotool --pattern constant:color=5 64x48 1 --chnames Z -d float --compression none -o five.exr
    python3 - <<'PY'
import struct
data = bytearray(open("five.exr", "rb").read())
data[-4:] = struct.pack("<f", float("inf"))
data[-12:-8] = struct.pack("<f", float("nan"))
data[-20:-16] = struct.pack("<f", 3)
open("five.exr", "wb").write(data)
PY
    run depthq inspect five.exr
    [ "$status" -eq 0 ]
    [[ $output == *"Z: 3 to 5, mean 4.99935, median 5; 0.00 % at the sky value; 2 values NOT FINITE"* ]]
    depthq inspect --json five.exr | python3 -c 'import json, sys; assert json.load(sys.stdin)[0]["parts"][0]["depth"]["not_finite"] == 2'
}

@test "windows, pixel aspect and timecode are told as another reader tells them" {
    oiiotool plate/p.1001.exr --origin -7+3 --fullsize 200x100-20+1 --attrib PixelAspectRatio 2.0 \
        --attrib:type=timecode smpte:TimeCode 01:02:03:04 -o moved.exr
    run depthq inspect moved.exr
    [ "$status" -eq 0 ]
    [[ $output == *"display window   200 x 100  (-20, 1) to (179, 100)"* ]]
    [[ $output == *"data window      160 x 96  (-7, 3) to (152, 98)"* ]]
    [[ $output == *"pixel aspect     2"* ]]
    [[ $output == *"timecode         01:02:03:04"* ]]
}

@test "a depth channel of another name is found, beside its plate too" {
    job 1001-1001 "  mode: channel
  channel: disparity.net"
    depthq run shot.yaml --progress plain
    run depthq inspect depth/d.1001.exr
    [ "$status" -eq 0 ]
    [[ $output == *"depth            disparity.net: "* ]]
    [[ $output == *"channels         B half, G half, R half, disparity.net float"* ]]
    if [[ $BUILD != *nooiio* ]]; then depthq preview depth/d.1001.exr; fi
    rm -r depth
    job 1001-1001 "  mode: part
  channel: far
  mask: true"
    depthq run shot.yaml --progress plain
    run depthq inspect depth/d.1001.exr
    [[ $output == *"2 parts"* ]]
    [[ $output == *"depth            far: "* ]]
}

@test "files that cannot be shown are named, the others are shown" {
    mkdir folder
    head -c 3000 made/z.1001.exr >cut.exr
    echo "no picture" >text.exr
    run depthq inspect nowhere.exr
    [ "$status" -eq 66 ]
    [ "$output" = "depthq inspect: nowhere.exr: No such file or directory" ]
    for bad in folder cut.exr text.exr; do
        run depthq inspect plate/p.1001.exr $bad
        [ "$status" -eq 65 ]
        [[ $output == *"depthq inspect: $bad: "* ]]
        [[ $output != *"$bad: $bad"* ]]
        [[ $output == *"data window      160 x 96"* ]]
        depthq inspect --json plate/p.1001.exr $bad 2>/dev/null |
            python3 -c 'import json, sys; assert len(json.load(sys.stdin)) == 1'
    done
}

@test "a plate that was cut short shows its header and is called incomplete" {
    local size
    size=$(stat -c %s plate/p.1001.exr)
    for part in 99 80 50; do
        head -c $((size * part / 100)) plate/p.1001.exr >cut.exr
        run depthq inspect cut.exr
        [ "$status" -eq 65 ] || { echo "$part %: exit $status"; false; }
        [[ $output == *"data window      160 x 96"*"depthq inspect: cut.exr: the plate is incomplete or damaged: scan line"* ]]
        [ "$(depthq inspect --json cut.exr 2>/dev/null)" = "[]" ]
    done
    depthq inspect plate/p.1001.exr
}

@test "a range is told where the shot needed one: not for metres" {
    job 1001-1002
    depthq run shot.yaml --progress plain
    [[ $(depthq inspect depth/d.1001.exr) == *"depthq/range"* ]]
    sed -i 's/"disparity", "scale": "affine"/"distance", "scale": "metric", "unit": "m"/' net.fake
    rm -r depth
    depthq run shot.yaml --progress plain
    run depthq inspect depth/d.1001.exr
    [ "$status" -eq 0 ]
    [[ $output == *"depthq/unit            m"* ]]
    [[ $output != *"depthq/range"* ]]
}

@test "wrong usage of inspect is met with help" {
    run depthq inspect
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq inspect: which file?" ]
    run depthq inspect --jsno plate/p.1001.exr
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq inspect: there is no option '--jsno' (did you mean '--json'?)" ]
    run depthq help inspect
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "Examples:" ]
}
