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
