# What `make install` copied works elsewhere, for a user who owns none of it.

setup() {
    load helpers
    load_programs
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd) BUILD=$(cd "$BUILD" && pwd)
    case $BUILD in
    "$root"/build/*) ;;
    *) skip "the build is not of this tree" ;;
    esac
    # shellcheck disable=SC2046 # words
    make -s -C "$root" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/depthq $(variant)
    rm -rf "$BATS_TEST_TMPDIR/opt"
    mv root/opt opt
    PATH=$(echo "$PATH" | sed "s|^[^:]*/bin:|$PWD/opt/depthq/bin:|")
}

variant() { # the variables of make that this build was made with
    local name
    name=$(basename "$BUILD")
    echo "MODE=${name%%-*}"
    case $name in *-clang*) echo COMPILER=clang ;; esac
    case $name in *-notorch*) echo TORCH=0 ;; esac
    case $name in *-nooiio*) echo OIIO=0 ;; esac
}

as_other_user() { # COMMAND: with no rights of ours, no network and no home
    local as=() alone=(unshare -Urn)
    if [ "$(id -u)" = 0 ]; then
        chmod 755 "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "${BATS_TEST_TMPDIR%/*/*}"
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    fi
    "${as[@]}" "${alone[@]}" true 2>/dev/null || alone=()
    HOME=/nonexistent "${as[@]}" "${alone[@]}" bash -c "$1"
}

@test "an installed depthq makes a shot for a user who is not root" {
    fake affine
    plates 1001-1003
    job 1001-1003
    mkdir depth
    chmod 777 depth
    as_other_user "depthq run shot.yaml --progress plain" >said 2>&1 || { cat said; false; }
    grep -q "done 3" said || { cat said; false; }
    depthq inspect depth/d.1003.exr
    [ "$(command -v depthq)" = "$PWD/opt/depthq/bin/depthq" ]
}

@test "a model library of the installation is searched" {
    plates 1001
    job 1001
    sed -i 's|^model:.*|model: demo-depth|' shot.yaml
    run depthq run shot.yaml --dry-run
    [ "$status" -eq 0 ]
    [[ $output == *"$PWD/opt/depthq/share/depthq/models/"*.pt* ]]
    sed -i 's|^model:.*|model: none-such|' shot.yaml
    run depthq run shot.yaml
    [ "$status" -eq 65 ]
    [[ $output == *"there is no model 'none-such'; there are: demo-depth@"* ]]
}

@test "shells find what TAB completes" {
    cd opt/depthq/share
    run bash -c 'source bash-completion/completions/depthq
COMP_WORDS=(depthq validate --qu) COMP_CWORD=2
_depthq
echo "${COMPREPLY[*]}"'
    [ "$output" = --quiet ]
    [ "$(head -n 1 zsh/site-functions/_depthq)" = '#compdef depthq' ]
    grep -q '^complete -c depthq .* -a validate ' fish/vendor_completions.d/depthq.fish
}

@test "there is a manual page for every command, as its help has it" {
    cd opt/depthq/share/man
    for command in $(depthq --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
        [ "$command" != help ] || continue
        grep -q "^depthq.*$command .*[a-z]" "man1/depthq-$command.1" || { echo "no page of $command"; false; }
        for option in $(depthq "$command" --help | sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p'); do
            tr -d '\\' <"man1/depthq-$command.1" | grep -qE "^\.B .*$option( |,|$)" || { echo "$command: no $option"; false; }
        done
    done
    for option in $(depthqd --help | sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p'); do
        tr -d '\\' <man8/depthqd.8 | grep -qE "^\.B .*$option( |$)" || { echo "depthqd: no $option"; false; }
    done
    for key in $(depthqd --print-config | sed -n 's/^#\([a-z-]*\):.*/\1/p'); do
        tr -d '\\' <man5/depthqd.conf.5 | grep -q "^\.B $key: " || { echo "depthqd.conf: no $key"; false; }
    done
    for key in $(depthq schema | json '" ".join(k for p in [v] + [o for o in v["properties"].values() if "properties" in o] for k, o in p["properties"].items() if "properties" not in o)'); do
        tr -d '\\' <man5/depthq-job.5 | grep -qx "\.B $key" || { echo "depthq-job: no $key"; false; }
    done
}

@test "man shows the pages, and has nothing to complain of" {
    command -v man >/dev/null && command -v groff >/dev/null || skip "no man and groff"
    cd opt/depthq/share/man
    for page in man*/*; do
        said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || { echo "$page: $said"; false; }
    done
    shown=$(LC_ALL=C.UTF-8 MANWIDTH=80 man -M "$PWD" -E UTF-8 depthq-run | col -b)
    [[ $shown == *"SYNOPSIS"*"depthq run [OPTION]... JOB"*"OPTIONS"*"--frames RANGE"*"EXIT STATUS"*"EXAMPLES"*"depthq run shot.yaml --dry-run"* ]] || { echo "$shown"; false; }
    # --dry-run is as one types it, for who copies it
    grep -q -- '--frames 1001-1010' <<<"$shown"
    command -v mandoc >/dev/null || skip "no mandoc"
    [ -z "$(mandoc -T lint -W warning man*/* 2>&1 | grep -v 'missing date')" ]
}

@test "systemd understands the units, and would start the installed programs" {
    cd opt/depthq/lib/systemd/system
    grep -qx 'ExecStart=/opt/depthq/bin/depthqd' depthqd.service
    grep -q 'exec /opt/depthq/bin/depthq reprocess' depthq-reprocess.service
    [ -z "$(grep -l @PREFIX@ ./*.service ./*.timer)" ]
    command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
    sed -i "s|/opt/depthq|$BATS_TEST_TMPDIR/opt/depthq|" ./*.service
    for unit in depthqd.service depthq-reprocess.service depthq-reprocess.timer; do
        run systemd-analyze verify "./$unit"
        [ "$status" -eq 0 ]
        [[ $output != *depthq*.service* && $output != *depthq*.timer* ]] || { echo "$output"; false; }
    done
}
