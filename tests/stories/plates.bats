# Plates come damaged, missing and strange; the other frames go on.

setup() {
    load helpers
    load_programs
    fake identity
}

# bad_frame PATTERN: frame 1002 failed for that reason, 1001 and 1003 are done
bad_frame() {
    [ "$status" -eq 1 ]
    [[ $output == *"frame=1002 state=failed"* ]]
    [[ $output == *$1* ]]
    [ -e depth/d.1001.exr ] && [ -e depth/d.1003.exr ]
    [ ! -e depth/d.1002.exr ]
    outputs_are_whole
}

@test "a shot becomes depth, one file a frame, and running it again does nothing" {
    plates 1001-1003
    job 1001-1003
    run_job
    [ "$status" -eq 0 ]
    [ "$(find depth -maxdepth 1 -name 'd.*.exr' | wc -l)" -eq 3 ]
    outputs_are_whole
    before=$(depth_sums; stat -c %Y depth/d.*.exr)
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 3"* ]]
    [ "$before" = "$(depth_sums; stat -c %Y depth/d.*.exr)" ]
}

@test "a missing plate fails its own frame" {
    plates 1001-1003
    rm plate/p.1002.exr
    job 1001-1003
    run_job
    bad_frame "No such file"
}

@test "an empty plate fails its own frame" {
    plates 1001-1003
    : >plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    job 1001-1003
    run_job
    bad_frame "p.1002.exr: the file is empty"
}

@test "a plate cut short anywhere fails its own frame" {
    plates 1001-1003
    job 1001-1003
    cp plate/p.1002.exr whole.exr
    size=$(stat -c %s whole.exr)
    for cut in 3 7 100 $((size / 4)) $((size / 2)) $((size - 1)); do
        head -c "$cut" whole.exr >plate/p.1002.exr
        touch -d '1 hour ago' plate/p.1002.exr
        run_job
        bad_frame "p.1002.exr"
    done
}

@test "a plate with a flipped bit in its pixels fails its own frame" {
    plates 1001-1003
    job 1001-1003
    size=$(stat -c %s plate/p.1002.exr)
    printf '\377\377\377\377' | dd of=plate/p.1002.exr bs=1 seek=$((size * 2 / 3)) conv=notrunc 2>/dev/null
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr"
}

@test "a plate whose end is zeros fails its own frame" {
    plates 1001-1003
    job 1001-1003
    size=$(stat -c %s plate/p.1002.exr)
    truncate -s $((size / 2)) plate/p.1002.exr
    truncate -s "$size" plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr"
}

@test "a young plate that does not decode is called growing and may be tried again" {
    plates 1001-1003
    job 1001-1003
    head -c 5000 plate/p.1002.exr >cut && mv cut plate/p.1002.exr
    run_job
    [ "$status" -eq 75 ]
    [[ $output == *"GROWING"* || $output == *"still being written"* ]]
    [ -e depth/d.1003.exr ]
}

@test "a folder, a FIFO and a file of another kind in a plate's place fail their own frame" {
    plates 1001-1003
    job 1001-1003
    rm plate/p.1002.exr
    mkdir plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr: is a folder"
    rmdir plate/p.1002.exr
    mkfifo plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr: is not a regular file"
    rm plate/p.1002.exr
    echo "no picture at all" >plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr"
}

@test "a header that claims a huge window is refused before memory is asked for" {
    plates 1001-1003
    job 1001-1003
    # the data window's xMax, 8 bytes into the attribute's value
    python3 - <<'PY'
import struct
path = "plate/p.1002.exr"
data = bytearray(open(path, "rb").read())
for name in (b"dataWindow\0box2i\0", b"displayWindow\0box2i\0"):
    at = data.index(name) + len(name) + 4
    data[at + 8:at + 16] = struct.pack("<ii", 2_000_000_000, 2_000_000_000)
open(path, "wb").write(data)
PY
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "p.1002.exr"
}

@test "a plate without R, G and B says what it has" {
    plates 1001-1003
    job 1001-1003
    cp made/z.1002.exr plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "Z"
}

@test "NaN, Inf and negative pixels do not reach the network" {
    plates 1001-1001
    oiiotool plate/p.1001.exr --subc 0.3 -d half -o plate/p.1002.exr
    python3 - <<'PY'
import struct, subprocess
# an uncompressed file, so that pixels can be written by hand
subprocess.run(["oiiotool", "plate/p.1001.exr", "--compression", "none", "-d", "half", "-o", "plate/p.1003.exr"], check=True)
data = bytearray(open("plate/p.1003.exr", "rb").read())
end = len(data)
data[end - 200:end - 198] = struct.pack("<H", 0x7e00)  # NaN
data[end - 400:end - 398] = struct.pack("<H", 0x7c00)  # Inf
open("plate/p.1003.exr", "wb").write(data)
PY
    touch -d '1 hour ago' plate/*
    job 1001-1003
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"NaN"* ]]
    run depthq inspect depth/d.1003.exr
    [[ $output != *"NOT FINITE"* ]]
}

@test "plates of 1x1, 3x5 and less than the network's multiple become depth" {
    fake identity
    for size in 1x1 3x5 31x33 64x64 65x63; do
        rm -rf plate depth made
        plates 1001-1002 $size
        job 1001-1002
        run_job
        [ "$status" -eq 0 ]
        run depthq inspect depth/d.1001.exr
        [[ $output == *"data window      ${size/x/ x }  "* ]]
    done
}

@test "a display window that changes inside a shot fails that frame; a data window may move" {
    plates 1001-1003
    job 1001-1003
    oiiotool plate/p.1002.exr --origin +5+3 --fullsize 160x96+0+0 -o moved.exr
    mv moved.exr plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    [ "$status" -eq 0 ]
    run depthq inspect depth/d.1002.exr
    [[ $output == *"(5, 3) to (164, 98)"* ]]
    rm -rf depth
    oiiotool plate/p.1003.exr --fullsize 200x96+0+0 -o plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "display window"
}

@test "a pixel aspect that changes inside a shot fails that frame" {
    plates 1001-1003
    job 1001-1003
    oiiotool plate/p.1002.exr --attrib PixelAspectRatio 2.0 -o wide.exr
    mv wide.exr plate/p.1002.exr
    touch -d '1 hour ago' plate/p.1002.exr
    run_job
    bad_frame "pixel aspect"
}

@test "an anamorphic shot keeps its windows and its pixel aspect" {
    plates 1001-1002
    for f in 1001 1002; do
        oiiotool plate/p.$f.exr --attrib PixelAspectRatio 2.0 -o wide.exr
        mv wide.exr plate/p.$f.exr
    done
    touch -d '1 hour ago' plate/*
    job 1001-1002
    run_job
    [ "$status" -eq 0 ]
    run depthq inspect depth/d.1001.exr
    [[ $output == *"pixel aspect     2"* ]]
    [[ $output == *"data window      160 x 96 "* ]]
}

@test "an output folder that cannot be made says so, and why" {
    plates 1001-1002
    job 1001-1002
    : >depth
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"/depth"* ]]
}

@test "an output that is the plate by another name is refused and the plate survives" {
    plates 1001-1002
    sum=$(sha256sum plate/*)
    mkdir depth
    ln -s ../plate/p.1001.exr depth/d.1001.exr
    job 1001-1002 "  existing: replace"
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"is the plate itself"* ]]
    [ "$sum" = "$(sha256sum plate/*)" ]
}

@test "storage that is full blocks the frames and nothing half-written stays" {
    [ "$(id -u)" = 0 ] || skip "needs root to mount a small file system"
    plates 1001-1003 640x384
    job 1001-1003
    mkdir depth
    mount -t tmpfs -o size=64k none depth || skip "may not mount"
    run timeout 20 depthq run shot.yaml --progress plain --grace 1
    whole=0
    outputs_are_whole || whole=1
    umount depth
    [ "$whole" -eq 0 ]
    [ "$status" -ne 0 ]
    [[ $output == *"No space left"* || $output == *"blocked"* ]]
}
