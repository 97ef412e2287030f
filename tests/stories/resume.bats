# What is right already is not made again; what changed is.

setup() {
    load helpers
    load_programs
    fake identity
    plates 1001-1004
    job 1001-1004
    depthq run shot.yaml --progress plain
}

@test "a changed plate is done again, the others are not" {
    before=$(depth_sums)
    cp plate/p.1004.exr plate/p.1002.exr
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 3"* ]]
    [ "$(diff <(echo "$before") <(depth_sums) | grep -c '^>')" -eq 1 ]
}

@test "a plate that was only touched is not done again" {
    touch plate/*
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 4"* ]]
}

@test "a changed field that changes pixels does all frames again" {
    job 1001-1004 "tiles: {overlap: 0.4}"
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 4"* ]]
}

@test "a changed priority does nothing again" {
    job 1001-1004 "priority: 90"
    run_job
    [[ $output == *"skipped 4"* ]]
}

@test "another model does all frames again" {
    fake luma
    run_job
    [[ $output == *"done 4"* ]]
}

@test "a depth file that was altered, cut or removed is made again" {
    before=$(depth_sums)
    echo x >>depth/d.1001.exr
    head -c 300 depth/d.1002.exr >cut && mv cut depth/d.1002.exr
    rm depth/d.1003.exr
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 1"* ]]
    [ "$before" = "$(depth_sums)" ]
}

@test "a finished file whose record is gone is recognised by its header" {
    rm -r depth/.depthq/*/done
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"skipped 4"* ]]
}

@test "a file that depthq did not make is never overwritten by resume" {
    cp plate/p.1001.exr depth/d.1002.exr
    rm depth/.depthq/*/done/1002.json
    sum=$(sha256sum depth/d.1002.exr)
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"did not make it"* ]]
    [ "$sum" = "$(sha256sum depth/d.1002.exr)" ]
}

@test "existing: fail refuses, existing: replace makes them again" {
    job 1001-1004 "  existing: fail"
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"exists already"* ]]
    job 1001-1004 "  existing: replace"
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 4"* ]]
}

@test "appended frames are fitted to the shot and no delivered frame changes" {
    before=$(depth_sums)
    plates 1001-1006
    job 1001-1006
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 2, skipped 4"* ]]
    [ "$before" = "$(depth_sums | head -n 4)" ]
}

other_plate() {
    rm -r depth
    mv plate/p.1004.exr other.exr
    touch -d '30 minutes ago' other.exr
    cp other.exr kept.exr
}

# late HOW: run while other.exr takes the place of frame 1002's plate, or is
# written into it, just when that has been read
late() {
    run env LD_PRELOAD="$BUILD/tools/late_write.so" LATE_WRITE="$(realpath plate/p.1002.exr)" \
        LATE_BYTES="$PWD/other.exr" LATE_HOW="$1" depthq run shot.yaml --progress plain
    [ ! -e other.exr ]
}

@test "a plate that another takes the place of while it is read is done again, never skipped for it" {
    other_plate
    job 1001-1003
    depthq run shot.yaml --frames 1001 --progress plain
    late rename
    [ "$status" -eq 0 ]
    [[ $output == *"done 2, skipped 1"* ]]
    before=$(sha256sum <depth/d.1002.exr)
    cmp kept.exr plate/p.1002.exr
    run_job
    [ "$status" -eq 0 ]
    [[ $output == *"done 1, skipped 2"* ]]
    [ "$before" != "$(sha256sum <depth/d.1002.exr)" ]
}

@test "a plate that is written to while it is read is growing, and is read again" {
    other_plate
    job 1001-1003
    sed -i 's/retries: 0/retries: 4/' shot.yaml
    depthq run shot.yaml --frames 1001 --progress plain
    late write
    [ "$status" -eq 0 ]
    [[ $output == *"frame=1002 state=retry "*"code=GROWING "*"p.1002.exr: was written to while it was read; run again"* ]]
    [[ $output == *"done 2, skipped 1"* ]]
    depthq inspect depth/d.1002.exr | grep -q "depthq/plate_sha256 *$(sha256sum <kept.exr | cut -d' ' -f1)"
    run_job
    [[ $output == *"skipped 3"* ]]
}
