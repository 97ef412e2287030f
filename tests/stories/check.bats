# scripts/check counts what ran now, and believes no suite that died. Here it
# stands in a folder of its own, with a Python and a bats that play a script.

setup() {
    root=$BATS_TEST_DIRNAME/../..
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree"/{scripts,build/it,stubs,tests/stories}
    cp "$root"/scripts/{check,sanitizers.bash} "$tree/scripts/"
    cd "$tree" || return
    echo "PYTHON := $tree/stubs/python" >build/config.mk
    PATH="$tree/stubs:$PATH"
    unset ASAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS
}

stub() { # NAME SCRIPT
    printf '#!/bin/bash\n%s\n' "$2" >"stubs/$1"
    chmod +x "stubs/$1"
}

# pytest SCRIPT: what stands for it; the rest of Python is the real one
pytest() { stub python "[ \"\$1\" = -m ] || exec /usr/bin/python3 \"\$@\"; $1"; }

three_passed() { echo '<testsuites><testsuite tests="3" failures="0" errors="0" skipped="1"/></testsuites>'; }

oracle() { # STATUS LINE: the suite alone ends so
    SUITES=oracle run scripts/check build/it
    echo "$output"
    [ "$status" -eq "$1" ]
    [ "${lines[-1]}" = "$2" ]
}

@test "what pytest counted is told" {
    pytest "cat >build/it/oracle.xml <<<'$(three_passed)'"
    oracle 0 "2 passed, 0 failed, 1 skipped"
}

@test "a pytest that is killed has failed, whatever the run before left" {
    three_passed >build/it/oracle.xml
    pytest 'kill -9 $$'
    oracle 1 "0 passed, 1 failed, 0 skipped"
}

@test "a pytest that ends badly has failed, though it counts no failure" {
    pytest "cat >build/it/oracle.xml <<<'$(three_passed)'; exit 3"
    oracle 1 "2 passed, 1 failed, 1 skipped"
}

@test "some stories can be picked, and one that does not end has failed" {
    touch tests/stories/{one,two,three}.bats
    stub bats 'echo 1..2; echo "ok 1 as it should"; case $* in *two*) ;; *) echo "ok 2 too" ;; esac'
    SUITES=stories STORIES="three one" run scripts/check build/it
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "4 passed, 0 failed, 0 skipped" ]
    SUITES=stories run scripts/check build/it
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = "5 passed, 1 failed, 0 skipped" ]
}

@test "what a sanitizer finds fails the stories, whatever they say" {
    touch tests/stories/one.bats
    stub bats 'echo 1..1; echo "ok 1 as it should"
to=${UBSAN_OPTIONS##*log_path=}; case $ASAN_OPTIONS in *:log_path=$to) echo "heap-use-after-free" >$to.7 ;; esac'
    SUITES=stories run scripts/check build/it
    [ "$status" -eq 1 ]
    [[ $output == *"heap-use-after-free"* ]]
    [ "${lines[-1]}" = "1 passed, 1 failed, 0 skipped" ]
}
