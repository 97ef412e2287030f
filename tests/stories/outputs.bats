# Outputs that cannot be made: what is said, and what is left behind.

setup() {
    load helpers
    load_programs
    fake identity
    mounted=
}

teardown() {
    [ -z "$mounted" ] || umount "$mounted"
}

# place OPTIONS...: mount on depth/, or skip
place() {
    [ "$(id -u)" = 0 ] || skip "needs root to mount"
    mkdir -p depth
    mount "$@" "$PWD/depth" 2>/dev/null || skip "may not mount"
    mounted=$PWD/depth
}

nothing_made() {
    [ -z "$(find . -path ./plate -prune -o -path ./made -prune -o -type f \( -name '*.exr' -o -name '*.tmp' \) -print)" ]
}

@test "an output folder whose name a file has taken is named" {
    plates 1001-1002
    job 1001-1002
    : >depth
    run_job
    [ "$status" -eq 73 ]
    [[ $output == *"$PWD/depth"*": Not a directory"* ]]
    nothing_made
}

@test "an output folder in which we may not write is named; nothing is made" {
    plates 1001-1002
    job 1001-1002
    mkdir depth
    chmod 555 depth
    as_nobody "depthq run shot.yaml --progress plain"
    [ "$status" -eq 77 ]
    [[ $output == *"code=DENIED"*"$PWD/depth"*"Permission denied"* ]]
    [[ $output == *"failed 2 (1001-1002)"* ]]
    nothing_made
}

@test "a read-only output is named; nothing is made" {
    plates 1001-1002
    job 1001-1002
    place -t tmpfs -o ro none
    run_job
    [ "$status" -eq 77 ]
    [[ $output == *"$PWD/depth"*"Read-only file system"* ]]
    nothing_made
}

@test "a folder in one output's place fails that frame alone" {
    plates 1001-1003
    job 1001-1003
    mkdir -p depth/d.1002.exr
    run_job
    [ "$status" -eq 1 ]
    [[ $output == *"frame=1002 state=failed"*"d.1002.exr"* ]]
    [ -f depth/d.1001.exr ]
    [ -f depth/d.1003.exr ]
    rmdir depth/d.1002.exr
    outputs_are_whole
}

@test "storage that is full blocks the frames and nothing half-written stays" {
    plates 1001-1003 640x384
    job 1001-1003
    place -t tmpfs -o size=64k none
    run_job --patience 0.5
    [ "$status" -eq 75 ]
    [[ $output == *"state=blocked"*"code=FULL"*"depth/"*"No space left on device"* ]]
    [[ $output == *"storage is full, waiting for room"* ]]
    [[ $output == *"blocked 3"* ]]
    nothing_made
}

@test "an output that is the plate, by another name or by a link, is refused and the plate survives" {
    plates 1001-1002
    sum=$(sha256sum plate/*)
    for link in "ln -s" ln; do
        rm -rf depth
        mkdir depth
        $link "$PWD/plate/p.1001.exr" depth/d.1001.exr
        job 1001-1002 "  existing: replace"
        run_job
        [ "$status" -eq 1 ]
        [[ $output == *"frame=1001 state=failed"*"d.1001.exr: is the plate itself; choose another output.path"* ]]
        [ -e depth/d.1002.exr ]
        [ "$sum" = "$(sha256sum plate/*)" ]
        [ -z "$(find . -name '*.tmp')" ]
    done
    rm -rf depth
    ln -s plate depth
    sed -i 's|path:.*|path: depth/p.####.exr|' shot.yaml
    run_job
    [ "$status" -ne 0 ]
    [[ $output == *"is the plate itself"* ]]
    [ "$sum" = "$(sha256sum plate/*)" ]
}

@test "an output path that is the plate's, or one for all frames, is refused at its line" {
    plates 1001-1002
    sum=$(sha256sum plate/*)
    job 1001-1002
    while read -r path want; do
        sed -i "s|  path:.*|  path: $path|" shot.yaml
        run_job
        [ "$status" -eq 65 ]
        [[ $output == *"shot.yaml:7:9: output.path: $want"* ]]
        nothing_made
        [ "$sum" = "$(sha256sum plate/*)" ]
    done <<'PATHS'
plate/p.####.exr is the plate itself; it would be overwritten
./plate//p.####.exr is the plate itself; it would be overwritten
depth/d.exr needs a frame number, such as ####, as the plate has one; else every frame would go to one file
PATHS
    sed -i "s|  path:.*|  path: plate/../plate/p.####.exr|" shot.yaml
    run_job # what links may hide is seen when the files are there
    [ "$status" -eq 73 ]
    [[ $output == *"p.1002.exr: is the plate itself; choose another output.path"* ]]
    [ "$sum" = "$(sha256sum plate/*)" ]
}

# the third call of a publish point is the first frame's, or its record's
@test "a step of writing that fails costs one frame at most, and a second run makes it good" {
    plates 1001-1003
    job 1001-1003
    for point in encode:2 publish.create:3 publish.rename:3 ledger:2; do
        rm -rf depth
        DQ_FAULT=$point run_job
        [ "$status" -ne 0 ]
        [[ $output == *"done 2, failed 1 ("* ]]
        [[ $output =~ frame=100[123]\ state=failed\ .*code=[A-Z]+\ error=\".*/depth/.*\" ]]
        outputs_are_whole
        run_job
        [ "$status" -eq 0 ]
        [ "$(find depth -maxdepth 1 -name 'd.*.exr' | wc -l)" -eq 3 ]
        outputs_are_whole
    done
}

@test "writing that fails once and can be done again is done again" {
    plates 1001-1003
    job 1001-1003
    for point in publish.fsync:3 publish.close:3; do
        rm -rf depth
        DQ_FAULT=$point run_job
        [ "$status" -eq 0 ]
        outputs_are_whole
    done
}

@test "a worker that is killed between writing and naming a file leaves no torn file, and the next run ends the shot" {
    plates 1001-1003
    job 1001-1003
    sed -i 's/retries: 0/retries: 9/' shot.yaml
    for point in publish.rename:3 ledger:2; do
        rm -rf depth
        DQ_FAULT=$point=kill run_job
        [[ $output == *"died: signal 9"* ]]
        for file in depth/d.*.exr; do
            [ ! -e "$file" ] || depthq inspect "$file" >/dev/null
        done
        run_job
        [ "$status" -eq 0 ]
        [ "$(find depth -maxdepth 1 -name 'd.*.exr' | wc -l)" -eq 3 ]
    done
}
