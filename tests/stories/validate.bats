# A wrangler checks job files before they go anywhere.
# DEPTHQ_BUILD is the build to test (make sets it).

setup() {
    PATH="${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release}/bin:$PATH"
    cd "$BATS_TEST_TMPDIR"
}

good() {
    cat <<'YAML'
depthq: 1
plate: plate/sh010.####.exr
frames: 1001-1240
model: demo-depth
output:
  path: depth/sh010_depth.####.exr
YAML
}

@test "a job file that is right is called ok, with what it will do" {
    good > sh010.yaml
    run depthq validate sh010.yaml
    [ "$status" -eq 0 ]
    [ "$output" = "sh010.yaml: ok: sh010, frames 1001-1240, model demo-depth, to $PWD/depth/sh010_depth.####.exr" ]
}

@test "every problem is told at once, with its line and a caret" {
    cat > shot.yaml <<'YAML'
depthq: 1
plate: plate/sh010.####.exr
fraems: 1001-1240
model: demo-depth
output:
  path: depth/sh010_depth.####.exr
  mode: sperate
tiles: {overlap: 0.75}
YAML
    run depthq validate shot.yaml
    [ "$status" -eq 65 ]
    [ "$output" = "\
shot.yaml:3:1: unknown key 'fraems' (did you mean 'frames'?)
     3 | fraems: 1001-1240
       | ^
shot.yaml:7:9: output.mode: 'sperate' is none of separate, part, channel (did you mean 'separate'?)
     7 |   mode: sperate
       |         ^
shot.yaml:8:18: tiles.overlap: 0.75 is not between 0 and 0.5
     8 | tiles: {overlap: 0.75}
       |                  ^" ]
}

@test "programs get the same as JSON, one line a file" {
    good > good.yaml
    { good; echo 'retries: 0o17'; } > bad.yaml
    run depthq validate --json good.yaml bad.yaml
    [ "$status" -eq 65 ]
    [ "${#lines[@]}" -eq 2 ]
    [ "${lines[0]}" = '{"file":"good.yaml","ok":true,"problems":[]}' ]
    [ "${lines[1]}" = '{"file":"bad.yaml","ok":false,"problems":[{"line":7,"column":10,"text":"retries: '"'0o17'"' is not a whole number such as 8"}]}' ]
}

@test "a job file that is not there gives 66 and says which" {
    run depthq validate nowhere.yaml
    [ "$status" -eq 66 ]
    [ "$output" = "depthq validate: nowhere.yaml: No such file or directory" ]
    run depthq validate --json nowhere.yaml
    [ "$status" -eq 66 ]
    [[ "$output" == '{"file":"nowhere.yaml","ok":false,"problems":[],"error":{"code":"MISSING",'* ]]
}

@test "of several files a wrong one outweighs a missing one" {
    good > good.yaml
    echo 'depthq: 1' > bad.yaml
    run depthq validate nowhere.yaml bad.yaml good.yaml
    [ "$status" -eq 65 ]
    run depthq validate good.yaml nowhere.yaml
    [ "$status" -eq 66 ]
}

@test "a job comes from standard input too, and its paths start here" {
    run depthq validate - < <(good)
    [ "$status" -eq 0 ]
    [ "$output" = "-: ok: job, frames 1001-1240, model demo-depth, to $PWD/depth/sh010_depth.####.exr" ]
}

@test "quiet says nothing of what is right" {
    good > good.yaml
    run depthq validate --quiet good.yaml
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    { good; echo 'retries: -1'; } > bad.yaml
    run depthq validate -q bad.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == *"retries: -1 is not between 0 and 20"* ]]
}

@test "a folder, a FIFO and a huge file are no job files" {
    mkdir folder
    run depthq validate folder
    [ "$status" -eq 65 ]
    [[ "$output" == "folder:1:1: is a folder"* ]]
    mkfifo fifo
    run timeout 10 depthq validate fifo
    [ "$status" -eq 65 ]
    [[ "$output" == "fifo:1:1: is not a regular file"* ]]
    good > huge.yaml
    yes '# filler' | head -c 70000 >> huge.yaml
    run depthq validate huge.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == huge.yaml:1:1:*"65536"* ]]
}

@test "a damaged text cannot write control characters to the terminal" {
    { good; printf '"\\e[31mred": 1\nname: "a\\x07b"\n# \033]0;title\007\nname2: \033[2J\n'; } > evil.yaml
    run depthq validate evil.yaml
    [ "$status" -eq 65 ]
    [[ "$output" != *$'\033'* ]]
    [[ "$output" != *$'\007'* ]]
    run depthq validate --json evil.yaml
    [[ "$output" != *$'\033'* ]]
}

@test "tabs, a second document and deep nesting are told in plain words at their place" {
    local least=$'depthq: 1\nplate: p.####.exr\nmodel: demo-depth\noutput: {path: d.####.exr}\n'
    said() { # TEXT WORDS
        printf '%s%s' "$least" "$1" >shot.yaml
        run depthq validate shot.yaml
        [ "$status" -eq 65 ] && [ "${lines[0]}" = "shot.yaml:$2" ] || { echo "$output"; return 1; }
    }
    said $'tiles:\n\tsize: 8\n' "6:1: a tab cannot indent; use spaces"
    said $'---\ndepthq: 1\n' "5:1: a second document (---); one a file"
    said $'...\npriority: 1\n' "6:1: text after the document's end (...); one document a file"
    # with the file's own map 32 levels are the most
    said "tiles: $(printf '[%.0s' {1..31})$(printf ']%.0s' {1..31})" "5:8: tiles: expects keys of its own, indented below it"
    said "tiles: $(printf '[%.0s' {1..32})$(printf ']%.0s' {1..32})" "5:39: nested deeper than 32 levels"
    said "tiles: $(printf '[%.0s' {1..30000})" "5:39: nested deeper than 32 levels"
}

@test "a caret stands below its column after tabs and letters of all lands" {
    { good; printf 'name: \xe6\xb7\xb1\xe3\x81\x95\t!\n'; } > deep.yaml
    run depthq validate deep.yaml
    [ "$status" -eq 65 ]
    [ "${lines[0]%%name:*}" = "deep.yaml:7:7: " ]
    [ "${lines[2]}" = "       |       ^" ]
}

@test "a very long line is shown around its caret" {
    { good; printf 'tiles: {overlap: 0.2,%5000s size: huge}\n' ''; } > long.yaml
    run depthq validate long.yaml
    [ "$status" -eq 65 ]
    [ "${#lines[1]}" -lt 200 ]
    [[ "${lines[1]}" == *"size: huge}"* ]]
    before=${lines[1]%%huge*}
    caret=${lines[2]%%^*}
    [ "${#before}" -eq "${#caret}" ]
}

@test "the schema that is printed is the one in the source tree" {
    depthq schema > now.json
    diff "$BATS_TEST_DIRNAME/../../schemas/job.schema.json" now.json
    run depthq schema job
    [ "$status" -eq 0 ]
    run depthq schema shoe
    [ "$status" -eq 2 ]
}

@test "help begins with examples and lists every command" {
    run depthq --help
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "Examples:" ]
    for verb in validate inspect preview schema help; do
        [[ "$output" == *$'\n'"  $verb "* ]]
    done
    run depthq help validate
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "Examples:" ]
}

@test "a mistyped command is met with the one that was meant" {
    run depthq vaildate shot.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq: there is no command 'vaildate' (did you mean 'validate'?)" ]
    run depthq
    [ "$status" -eq 2 ]
    run depthq validate
    [ "$status" -eq 2 ]
    run depthq validate --jsno x
    [ "$status" -eq 2 ]
    run depthq --frobnicate
    [ "$status" -eq 2 ]
}

@test "a mistyped option is met with the one that was meant, of every command" {
    check() { # OPTION MEANT COMMAND...
        local option=$1 meant=$2
        shift 2
        run "$@" "$option" x
        [ "$status" -eq 2 ]
        [ "${lines[0]}" = "$*: there is no option '$option'${meant:+ (did you mean '$meant'?)}" ]
        [ "${lines[1]}" = "Try: $* --help" ]
        [ "${#lines[@]}" -eq 2 ]
    }
    check --fraems --frames depthq run
    check --dryrun --dry-run depthq run
    check --sideways "" depthq run
    check -x "" depthq run
    check --jsno --json depthq validate
    check --hepl --help depthq schema
    check --verison --version depthq
    check --josn --json depthq inspect
    check --outptu --output depthq preview
}

@test "an option without its value, with one too many, or cut too short says so" {
    run depthq run x.yaml --frames
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq run: '--frames' needs a value" ]
    run depthq run x.yaml --dry-run=yes
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq run: '--dry-run=yes': the option takes no value" ]
    run depthq run x.yaml --json -xq
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq run: there is no option '-x'" ]
    run depthq run x.yaml --p 1
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq run: '--p' is the beginning of several options" ]
    run depthq preview x.exr -o
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq preview: '-o' needs a value" ]
}

@test "the version is told" {
    run depthq --version
    [ "$status" -eq 0 ]
    [ "$output" = "depthq $(cat "$BATS_TEST_DIRNAME/../../VERSION")" ]
}

@test "a full disk under the output is no success" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c 'depthq --help > /dev/full'
    [ "$status" -eq 74 ]
}

@test "the command links neither the network, nor images, nor a database" {
    [[ "$DEPTHQ_BUILD" != *asan* && "$DEPTHQ_BUILD" != *tsan* ]] ||
        skip "a sanitizer brings libraries of its own"
    # Without the addresses, which differ and may spell c10.
    run bash -c 'set -o pipefail; ldd "$(command -v depthq)" | sed "s/ (0x.*//"'
    [ "$status" -eq 0 ]
    [[ "$output" == *libc.so* ]]
    for heavy in torch c10 OpenImageIO OpenEXR sqlite cuda stdc++; do
        [[ "$output" != *"$heavy"* ]]
    done
}
