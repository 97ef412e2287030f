# Set-up says what it does before it does it. Here it stands in a folder of its
# own, with a dpkg-query, a pip and a torch that play a script.

setup() {
    tree=$BATS_TEST_TMPDIR/tree stubs=$BATS_TEST_TMPDIR/stubs
    mkdir -p "$tree/scripts" "$stubs"
    cp "$BATS_TEST_DIRNAME"/../../scripts/{bootstrap,requirements.txt} "$tree/scripts/"
    cd "$tree" || return
    unset TORCH_DIR TORCH OIIO DEPTHQ_APT
    PATH="$stubs:$PATH"
    stub dpkg-query 'echo installed'
    stub apt-get 'echo "apt-get $*" >>'"$tree"'/apt.calls'
    stub sudo 'echo "sudo $*" >>'"$tree"'/sudo.calls; "$@"'
    stub pkg-config 'case $* in *atleast*) exit 1 ;; *cflags*) echo -I/usr/include/Imath ;; esac'
}

stub() { # NAME SCRIPT
    printf '#!/bin/bash\n%s\n' "$2" >"$stubs/$1"
    chmod +x "$stubs/$1"
}

# A private environment whose pip would fetch the packages of $1.
private_python() {
    local item list=''
    mkdir -p build/deps/venv/bin
    for item in $1; do list+="{\"metadata\": {\"name\": \"$item\"}},"; done
    cat >build/deps/venv/bin/pip <<SH
#!/bin/bash
echo "\$*" >>$tree/pip.calls
case \$* in
*--dry-run*) echo '{"install": [${list%,}]}' ;;
*"install -q torch"* | *"install -q --index-url"*) touch $tree/torch-is-there ;;
esac
SH
    cat >build/deps/venv/bin/python <<SH
#!/bin/bash
if [ "\$1" = - ]; then
    [ ! -e $tree/torch-is-there ] || echo $tree/torch
    exit
fi
exec /usr/bin/python3 "\$@"
SH
    chmod +x build/deps/venv/bin/*
    # no torch in other Pythons
    stub python3 'exit 1'
    mkdir -p torch/include/torch build/deps/openexr-3.5.3/lib
    touch torch/include/torch/script.h build/deps/openexr-3.5.3/lib/libOpenEXRCore-3_5.a
}

other_torch() { # a torch to point TORCH_DIR at
    mkdir -p other/include/torch other/include/c10/core
    touch other/include/torch/script.h
    echo "${1:-getDeviceAllocator}" >other/include/c10/core/CachingDeviceAllocator.h
}

@test "with DEPTHQ_APT=0 what is missing is listed and nothing is installed" {
    stub dpkg-query '[ "${@: -1}" = libyaml-dev ] || [ "${@: -1}" = bats ] || echo installed'
    DEPTHQ_APT=0 run scripts/bootstrap
    [ "$status" -eq 69 ]
    [[ $output == *"apt-get install --no-install-recommends libyaml-dev bats" ]]
    [ ! -e apt.calls ]
    [ ! -e build/deps/venv ]
}

@test "missing packages are named and installed, through sudo for who is not root" {
    private_python ""
    touch torch-is-there
    stub dpkg-query '[ "${@: -1}" = bats ] || echo installed'
    stub id 'echo 1000'
    run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output == *"installing Debian packages through sudo: bats"* ]]
    [ "$(tail -n 1 apt.calls)" = "apt-get install -qy --no-install-recommends bats" ]
    grep -q 'DEBIAN_FRONTEND=noninteractive apt-get install' sudo.calls
}

@test "an installation that fails shows the end of its log" {
    stub dpkg-query '[ "${@: -1}" = bats ] || echo installed'
    stub id 'echo 0'
    stub apt-get 'echo "E: no space left on device"; exit 100'
    run scripts/bootstrap
    [ "$status" -eq 69 ]
    [[ $output == *"E: no space left on device"*"apt-get update failed; see build/apt.log" ]]
}

@test "a second run has nothing to do and says nothing" {
    private_python ""
    touch torch-is-there
    scripts/bootstrap
    rm -f pip.calls
    run scripts/bootstrap
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ ! -e pip.calls ]
    TORCH=0 run scripts/bootstrap
    [ -z "$output" ]
}

@test "a library that is gone is looked for again" {
    private_python ""
    touch torch-is-there
    scripts/bootstrap
    rm torch/include/torch/script.h
    other_torch
    TORCH_DIR=$PWD/other run scripts/bootstrap
    [ "$status" -eq 0 ]
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
}

@test "TORCH_DIR stays the choice of later runs without it" {
    private_python ""
    other_torch
    TORCH_DIR=$PWD/other scripts/bootstrap
    run scripts/bootstrap
    [ -z "$output" ]
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
}

@test "a TORCH_DIR that cannot be built against is refused" {
    private_python ""
    TORCH_DIR=/nowhere run scripts/bootstrap
    [ "$status" -eq 78 ]
    [[ $output == *"/nowhere has no include/torch/script.h"* ]]
    other_torch nothing
    TORCH_DIR=$PWD/other run scripts/bootstrap
    [ "$status" -eq 78 ]
    [[ $output == *"too old"* ]]
}

@test "several GB of CUDA are not fetched without a yes" {
    private_python "torch nvidia-cublas nvidia-cudnn-cu13"
    run scripts/bootstrap </dev/null
    [ "$status" -eq 78 ]
    [[ $output == *"several GB: nvidia-cublas nvidia-cudnn-cu13"*"--torch-index URL"* ]]
    [ "$(grep -vc dry-run pip.calls)" -eq 0 ]
    run scripts/bootstrap --yes </dev/null
    [ "$status" -eq 0 ]
    grep -qx 'install -q torch==2.13.0' pip.calls
}

@test "the index of CPU wheels needs no yes" {
    private_python "torch sympy"
    run scripts/bootstrap --torch-index https://wheels.example/cpu </dev/null
    [ "$status" -eq 0 ]
    grep -qx 'install -q --index-url https://wheels.example/cpu torch==2.13.0' pip.calls
}

@test "an index that does not answer shows pip's words alone" {
    private_python torch
    printf '#!/bin/bash\necho "ERROR: certificate verify failed" >&2\nexit 1\n' >build/deps/venv/bin/pip
    run scripts/bootstrap </dev/null
    [ "$status" -eq 69 ]
    [[ $output == *"certificate verify failed"*"pip cannot fetch torch==2.13.0; see build/pip.log" ]]
    [[ $output != *Traceback* ]]
}

@test "another source archive of OpenEXR than the pinned one is thrown away" {
    private_python ""
    touch torch-is-there
    rm build/deps/openexr-3.5.3/lib/libOpenEXRCore-3_5.a
    echo other >build/deps/openexr-3.5.3.tar.gz
    run scripts/bootstrap
    [ "$status" -eq 69 ]
    [[ $output == *"another SHA-256 than the pinned one"* ]]
    [ ! -e build/deps/openexr-3.5.3.tar.gz ]
    [ ! -e build/config.mk ]
}

@test "an option that is not known shows the help" {
    run scripts/bootstrap --fast
    [ "$status" -eq 2 ]
    [[ $output == *"--torch-index URL"* ]]
}
