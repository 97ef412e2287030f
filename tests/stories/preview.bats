# Pictures for people: one frame, beside its plate, and the shot on one sheet.

setup() {
    load helpers
    load_programs
    oiiotool --pattern constant:color=1 8x8 1 --chnames Z -d float -o probe.exr
    run depthq preview probe.exr
    [ "$status" -ne 78 ] || skip "this build has no OpenImageIO"
}

size_of() { oiiotool --info "$1" | sed 's/.*: *\([0-9]* x *[0-9]*\), 3 channel, uint8 png.*/\1/; s/ //g'; }

# pixels PICTURE SCRIPT: run Python with w, h and at(x, y) -> [r, g, b]
pixels() {
    oiiotool "$1" -o pixels.ppm
    python3 - "$2" <<'PY'
import re, sys
data = open("pixels.ppm", "rb").read()
w, h = map(int, re.match(rb"P6\s+(\d+) (\d+)\s+255\s", data).groups())
rgb = data[-3 * w * h:]
at = lambda x, y: list(rgb[3 * (y * w + x):3 * (y * w + x) + 3])
# every 15th row of the table that Google published with its map, sRGB
TABLE = [(0.18995, 0.07176, 0.23217), (0.2483, 0.24143, 0.61286), (0.27509, 0.40072, 0.86692), (0.26878, 0.54995, 0.99303),
         (0.18625, 0.69775, 0.95498), (0.10026, 0.82955, 0.81389), (0.13526, 0.92197, 0.66556), (0.32006, 0.97974, 0.47654),
         (0.54658, 0.99907, 0.29581), (0.71577, 0.96875, 0.20815), (0.85868, 0.88655, 0.2123), (0.96049, 0.77181, 0.22811),
         (0.99654, 0.63193, 0.18738), (0.97545, 0.4574, 0.11305), (0.91024, 0.29599, 0.04814), (0.80799, 0.17753, 0.0166),
         (0.66449, 0.08436, 0.00424), (0.4796, 0.01583, 0.01055)]
def turbo(x):
    i = min(16, int(x * 17))
    t = x * 17 - i
    return [255 * ((1 - t) * a + t * b) for a, b in zip(TABLE[i], TABLE[i + 1])]
def like(a, b, most=16):
    return max(abs(x - y) for x, y in zip(a, b)) <= most
exec(sys.argv[1])
PY
}

@test "depth is shown in turbo's colours, near is red" {
    oiiotool --pattern fill:left=1:right=4 256x8 1 --chnames Z -d float -o ramp.exr
    run depthq preview ramp.exr --range 1,4 -o ramp.png
    [ "$status" -eq 0 ]
    [ "$output" = "ramp.png" ]
    [ "$(size_of ramp.png)" = 256x8 ]
    # equal steps of colour are equal steps of parallax, so of 1/Z
    pixels ramp.png '
for x in range(w):
    z = 1 + 3 * x / 255
    near = (1 / z - 1 / 4) / (1 - 1 / 4)
    assert like(at(x, 4), turbo(near)), (x, at(x, 4), turbo(near))
assert like(at(0, 0), [122, 4, 3], 1) and like(at(255, 0), [48, 18, 59], 1), (at(0, 0), at(255, 0))'
}

@test "inverse depth has its red end at the great numbers" {
    fake identity
    plates 1001-1001
    job 1001-1001
    depthq run shot.yaml --progress plain
    depthq preview depth/d.1001.exr --range 0,1 -o d.png
    [ "$(size_of d.png)" = 160x96 ]
    # where the network is brightest it is near: the numbers are great there
    oiiotool depth/d.1001.exr --chnames Y -d uint8 -o depth.pgm
    pixels d.png '
values = open("depth.pgm", "rb").read()[-w * h:]
great = [at(i % w, i // w) for i in range(w * h) if values[i] > 240]
small = [at(i % w, i // w) for i in range(w * h) if 0 < values[i] < 30]
assert great and all(c[0] > 100 and c[1] < 60 and c[2] < 30 for c in great), great[:9]
assert small and all(c[2] > c[0] for c in small), small[:9]'
}

@test "what is empty is black, and what lies beyond the range has its end's colour" {
    oiiotool --pattern fill:left=1:right=4 64x4 1 --chnames Z -d float --compression none -o ramp.exr
    python3 - <<'PY'
import struct
data = bytearray(open("ramp.exr", "rb").read())
data[-4:] = struct.pack("<f", float("nan"))
data[-8:-4] = struct.pack("<f", float("inf"))
open("ramp.exr", "wb").write(data)
PY
    depthq preview ramp.exr --range 2,3 -o out.png
    pixels out.png '
assert at(63, 3) == at(62, 3) == [0, 0, 0]
assert like(at(0, 0), [122, 4, 3], 1) and like(at(63, 0), [48, 18, 59], 1)'
}

@test "a picture is no wider than asked, and anamorphic ones are shown square" {
    oiiotool --pattern fill:left=1:right=4 400x100 1 --chnames Z -d float -o a.exr
    depthq preview a.exr --width 200 -o a.png
    [ "$(size_of a.png)" = 200x50 ]
    oiiotool a.exr --attrib PixelAspectRatio 2.0 -o b.exr
    depthq preview b.exr --width 400 -o b.png
    [ "$(size_of b.png)" = 400x50 ]
    depthq preview a.exr
    [ "$(size_of a.png)" = 400x100 ]
}

@test "side by side: the plate at the left, its depth at the right" {
    oiiotool --pattern constant:color=0.18,0.18,0.18 100x50 3 -d half -o grey.exr
    oiiotool --pattern constant:color=2 100x50 1 --chnames Z -d float -o flat.exr
    depthq preview flat.exr --plate grey.exr --range 1,2 -o both.png
    [ "$(size_of both.png)" = 204x50 ]
    pixels both.png '
r, g, b = at(50, 25)
assert r == g == b and 60 < r < 200, at(50, 25)
assert at(102, 25) == [0, 0, 0]
assert like(at(150, 25), [48, 18, 59], 1), at(150, 25)'
}

@test "a contact sheet has a cell a frame, one range for all, and a legend" {
    mkdir plate depth
    for frame in 1001 1002 1003; do
        oiiotool --pattern constant:color=0.18,0.18,0.18 100x50 3 -d half -o plate/p.$frame.exr
        oiiotool --pattern constant:color=$((frame - 1000)) 100x50 1 --chnames Z -d float -o depth/d.$frame.exr
    done
    job 1001-1004
    run depthq preview shot.yaml --width 100
    [ "$status" -eq 0 ]
    [ "$output" = shot_contact.png ]
    # three cells of 100 x (22 + 50 + 2 + 50), 12 apart, 16 around, and a
    # legend of 340 below the header of 68
    [ "$(size_of shot_contact.png)" = "372x$((16 + 68 + 44 + 124 + 16))" ]
    pixels shot_contact.png '
top = 16 + 68 + 44 + 22
for i, z in enumerate((1, 2, 3)):
    x = 16 + i * 112 + 50
    near = (1 / z - 1 / 3) / (1 - 1 / 3)
    plate, depth = at(x, top + 25), at(x, top + 77)
    assert plate == at(66, top + 25) and plate[0] == plate[1] > 60, plate
    assert like(depth, turbo(near)), (z, depth, turbo(near))
assert at(5, 5) == [26, 26, 26]
bar = 16 + 68 + 7
assert like(at(16, bar), [48, 18, 59], 1) and like(at(355, bar), [122, 4, 3], 1)
letters = sum(at(x, y)[0] > 150 for y in range(16, 75) for x in range(w))
assert letters > 100, letters'
}

@test "a sheet shows eight frames of a long shot, the first and the last too" {
    mkdir depth
    oiiotool --pattern constant:color=1 32x16 1 --chnames Z -d float -o z.exr
    for frame in $(seq 1 30); do cp z.exr depth/d.$(printf %04d "$frame").exr; done
    job 1-30
    depthq preview shot.yaml --width 32 -o sheet.png
    # two rows of four; without plates their places are 24 high
    [ "$(size_of sheet.png)" = "372x$((16 + 68 + 44 + 2 * (22 + 24 + 2 + 16) + 12 + 16))" ]
}

@test "frames that are not the job's are not on its sheet" {
    mkdir depth
    oiiotool --pattern constant:color=1 32x16 1 --chnames Z -d float -o z.exr
    for frame in 1001 1002 2000; do cp z.exr depth/d.$frame.exr; done
    job 1001-1004
    depthq preview shot.yaml --width 100 -o two.png
    rm depth/d.2000.exr
    depthq preview shot.yaml --width 100 -o same.png
    cmp two.png same.png
    rm depth/d.100*.exr
    cp z.exr depth/d.2000.exr
    run depthq preview shot.yaml
    [ "$status" -eq 66 ]
    [[ $output == *"nothing to look at yet"* ]]
}

@test "the same input gives the same bytes" {
    plates 1001-1003
    fake affine
    job 1001-1003
    depthq run shot.yaml --progress plain
    depthq preview shot.yaml -o one.png
    depthq preview depth/d.1002.exr --plate plate/p.1002.exr -o still.png
    sleep 1.1
    mkdir elsewhere
    depthq preview shot.yaml -o elsewhere/two.png
    depthq preview depth/d.1002.exr --plate plate/p.1002.exr -o elsewhere/still.png
    cmp one.png elsewhere/two.png
    cmp still.png elsewhere/still.png
}

@test "what cannot be previewed says why" {
    plates 1001-1001
    run depthq preview nowhere.exr
    [ "$status" -eq 66 ]
    run depthq preview plate/p.1001.exr
    [ "$status" -eq 65 ]
    [[ $output == *"p.1001.exr: has no depth channel"* ]]
    run depthq preview nowhere.yaml
    [ "$status" -eq 66 ]
    job 1001-1001
    run depthq preview shot.yaml
    [ "$status" -eq 66 ]
    [[ $output == *"nothing to look at yet"*"depth"* ]]
    sed -i 's/^model:/modle:/; s/^retries: 0/retries: many/' shot.yaml
    run depthq preview shot.yaml
    [ "$status" -eq 65 ]
    [[ $output == *"shot.yaml:4:1: unknown key 'modle'"* ]]
    [[ $output == *"shot.yaml:5:10: retries"* ]]
    run depthq preview probe.exr -o no/such/folder.png
    [ "$status" -eq 73 ]
    [[ $output == *"no/such/folder.png"* ]]
}

@test "wrong usage of preview names what was wrong" {
    for words in "" "probe.exr probe.exr" "probe.exr --range 5" "probe.exr --range 5,1" "probe.exr --width 3" \
        "shot.yaml --plate probe.exr" "--otput x.png probe.exr"; do
        run depthq preview $words
        [ "$status" -eq 2 ]
        [[ $output == "depthq preview: "* ]]
        [ ! -e x.png ]
    done
    [[ $output == *"did you mean '--output'"* ]]
}

@test "far ground has the far end's colour and is no sky; what is empty is black" {
    fake identity
    plates 1001-1002
    # no alpha in the corner: nothing was there
    oiiotool plate/p.1002.exr --ch R,G,B,A=1 --fill:color=0,0,0,0 8x8+0+0 -d half -o empty.exr
    mv empty.exr plate/p.1002.exr
    touch -d '1 hour ago' plate/*
    for type in float half; do
        rm -rf depth
        job 1001-1002 "  type: $type"
        depthq run shot.yaml --progress plain
        run depthq inspect depth/d.1001.exr
        [[ $output == *"; 0.00 % at the sky value"* ]]
        depthq preview depth/d.1001.exr -o d.png
        pixels d.png 'assert not [1 for i in range(w * h) if at(i % w, i // w) == [0, 0, 0]]'
        depthq preview depth/d.1002.exr -o d.png
        pixels d.png '
black = sorted((i % w, i // w) for i in range(w * h) if at(i % w, i // w) == [0, 0, 0])
assert black == [(x, y) for x in range(8) for y in range(8)], black'
    done
}
