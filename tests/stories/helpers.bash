# helpers: what the stories share. DEPTHQ_BUILD is the build to test.

load_programs() {
    BUILD=${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release}
    PATH="$BUILD/bin:$PATH"
    cd "$BATS_TEST_TMPDIR" || return
}

# fake NET [EXTRA]: a network that needs no library, as net.fake
fake() {
    cat >net.fake <<JSON
{"depthq_fake": 1, "net": "$1", ${2:-}
 "contract": {"depthq_model": 1, "name": "fake", "version": "1", "runtime": "fake",
  "input": {"transfer": "srgb", "multiple": 32, "size": {"preferred": 64, "min": 32, "max": 1024}, "batch": "any"},
  "output": {"quantity": "disparity", "scale": "affine"}}}
JSON
}

# version V [NET]: net.fake as mine@V, another artefact for every version
version() {
    fake "${2:-identity}"
    sed -i "s/\"name\": \"fake\", \"version\": \"1\"/\"name\": \"mine\", \"version\": \"$1\"/" net.fake
}

# add_version V [NET]: the same, in the library
add_version() {
    version "$@"
    depthq models add net.fake
}

# black_plate FRAME SIZE: of the shot that plates made
black_plate() {
    oiiotool --create "$2" 3 -d half -o "plate/p.$1.exr"
    touch -d '1 hour ago' "plate/p.$1.exr"
}

# json EXPRESSION: of v, the JSON value on standard input
json() { python3 -c "import json,sys; v=json.load(sys.stdin); print($1)"; }

# plates FRAMES SIZE: plate/p.####.exr from a seeded scene
plates() {
    depthq-scene made --seed 7 --frames "$1" --size "${2:-160x96}" --camera dolly
    mkdir -p plate
    local file
    for file in made/plate.*.exr; do mv "$file" "plate/p.${file#made/plate.}"; done
    # old enough not to be taken for files that are still being copied
    touch -d '1 hour ago' plate/*
}

# odd_plate FRAME: its display window is wider than the others'; as it was: whole.FRAME
odd_plate() {
    cp -p "plate/p.$1.exr" "whole.$1"
    oiiotool "whole.$1" --fullsize 200x96+0+0 -o odd.exr
    mv odd.exr "plate/p.$1.exr"
    touch -d '1 hour ago' "plate/p.$1.exr"
}

# job FRAMES [LINES]: shot.yaml
job() {
    cat >shot.yaml <<YAML
depthq: 1
plate: plate/p.####.exr
frames: $1
model: ./net.fake
retries: 0
output:
  path: depth/d.####.exr
${2:-}
YAML
}

# run_job [OPTIONS]: run, with a line a frame
run_job() {
    run depthq run shot.yaml --progress plain "$@"
}

# every depth file present decodes whole, and no temp is left
outputs_are_whole() {
    local file temps
    for file in depth/d.*.exr; do
        [ -e "$file" ] || continue
        depthq inspect "$file" >/dev/null || return 1
    done
    temps=$(find . -name '*.tmp')
    [ -z "$temps" ] || { echo "left behind: $temps"; return 1; }
}

depth_sums() { sha256sum depth/d.*.exr; }

# as_nobody COMMAND: as `run`, by a user who owns nothing; root may do too much
as_nobody() {
    local as=()
    if [ "$(id -u)" = 0 ]; then
        chmod a+rwx . "$BATS_TEST_TMPDIR"
        chmod a+rx "${BATS_TEST_TMPDIR%/*}" "${BATS_TEST_TMPDIR%/*/*}"
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
        "${as[@]}" true 2>/dev/null || skip "may not become another user"
        "${as[@]}" test -x "$BUILD/bin/depthq" || skip "the build is not for other users"
    fi
    HOME=/nonexistent run "${as[@]}" bash -c "$1"
}
