# Set-up says what it does before it does it. Here it stands in a folder of its
# own, with a dpkg-query, a pip, Pythons and a torch that play a script.

setup() {
    tree=$BATS_TEST_TMPDIR/tree stubs=$BATS_TEST_TMPDIR/stubs
    mkdir -p "$tree/scripts" "$stubs"
    cp "$BATS_TEST_DIRNAME"/../../scripts/requirements.txt "$tree/scripts/"
    sed "s|/usr/bin/python3|$stubs/debian-python3|g" "$BATS_TEST_DIRNAME"/../../scripts/bootstrap \
        >"$tree/scripts/bootstrap"
    chmod +x "$tree/scripts/bootstrap"
    cd "$tree" || return
    unset TORCH_DIR TORCH OIIO DEPTHQ_APT PIP_CACHE_DIR
    PATH="$stubs:$PATH"
    stub dpkg-query 'echo installed'
    stub apt-get 'echo "apt-get $*" >>'"$tree"'/apt.calls'
    stub sudo 'echo "sudo $*" >>'"$tree"'/sudo.calls; "$@"'
    stub pkg-config 'case $* in *atleast*) exit 1 ;; *cflags*) echo -I/usr/include/Imath ;; esac'
    stub python3 'exit 1'
    stub debian-python3 "[ \"\$1 \$2\" = '-m venv' ] && rm -f $tree/no-wheels && $stubs/fake-venv \"\$4\""
    stub_fake_venv
}

stub() { # NAME SCRIPT
    printf '#!/bin/bash\n%s\n' "$2" >"$stubs/$1"
    chmod +x "$stubs/$1"
}

# fake-venv FOLDER: a private environment whose pip would fetch the packages of
# the file would-fetch. Its Python imports the torch that pip has installed, or
# one that another Python lends to an environment of its own.
stub_fake_venv() {
    cat >"$stubs/fake-pip" <<SH
#!/bin/bash
[ "\$1" != --version ] || exit 0
echo "\$*" >>$tree/pip.calls
echo "\$PIP_CACHE_DIR" >$tree/pip.cache
mkdir -p "\$PIP_CACHE_DIR"
list=
for item in \$(cat $tree/would-fetch 2>/dev/null); do list+="{\"metadata\": {\"name\": \"\$item\"}},"; done
case \$* in
*--dry-run*) echo "{\"install\": [\${list%,}]}" ;;
*"install -q torch"* | *"install -q --index-url"*) touch $tree/torch-is-there ;;
*requirements.txt) [ ! -e $tree/no-wheels ] || { echo "ERROR: no matching wheel"; exit 1; } ;;
esac
SH
    cat >"$stubs/fake-python" <<SH
#!/bin/bash
venv=\$(cd "\$(dirname "\$0")/.." && pwd)
lent=\$(cat "\$venv"/lib/python3*/site-packages/depthq-torch.pth 2>/dev/null)
of=\$(cat "\$venv/made-of" 2>/dev/null)
torch=
[ ! -e $tree/torch-is-there ] || torch=$tree/torch
[ -z "\$lent" ] || [ "\$of" = $stubs/debian-python3 ] || [ ! -e "\$lent/torch/__init__.py" ] || torch=\$lent/torch
case \$* in
"-m venv"*) exit 1 ;; # never of itself
- | *"import torch"*) [ -z "\$torch" ] || { echo "\$torch"; exit 0; }; exit 1 ;;
esac
exec /usr/bin/python3 "\$@"
SH
    cat >"$stubs/fake-venv" <<SH
#!/bin/bash
rm -rf "\$1"
mkdir -p "\$1/bin" "\$1/lib/python3.11/site-packages"
cp $stubs/fake-pip "\$1/bin/pip"
cp $stubs/fake-python "\$1/bin/python"
SH
    chmod +x "$stubs"/fake-*
}

# All that set-up needs is there but, perhaps, torch; pip would fetch $1.
private_python() {
    "$stubs/fake-venv" build/deps/venv
    echo "$1" >would-fetch
    mkdir -p torch/include/torch build/deps/openexr-3.5.3/lib
    touch torch/include/torch/script.h build/deps/openexr-3.5.3/lib/libOpenEXRCore-3_5.a
}

a_torch() { # FOLDER [OTHER INTERFACE]: can be built against
    mkdir -p "$1/include/torch" "$1/include/c10/core"
    touch "$1/include/torch/script.h"
    echo "${2:-getDeviceAllocator}" >"$1/include/c10/core/CachingDeviceAllocator.h"
}

# COMMAND: a Python with a torch for Python, in conda/.
python_with_torch() {
    packages=$tree/conda/lib/python3.12/site-packages
    a_torch "$packages/torch"
    touch "$packages/torch/__init__.py"
    cat >"$1" <<SH
#!/bin/bash
case \$* in
-) echo $packages/torch ;;
*sys.path*) echo $packages ;;
"-m venv"*) $stubs/fake-venv "\$4" ;;
esac
SH
    chmod +x "$1"
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
    a_torch other
    TORCH_DIR=$PWD/other run scripts/bootstrap
    [ "$status" -eq 0 ]
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
}

@test "TORCH_DIR stays the choice of later runs without it" {
    private_python ""
    a_torch other
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
    a_torch other nothing
    TORCH_DIR=$PWD/other run scripts/bootstrap
    [ "$status" -eq 78 ]
    [[ $output == *"too old"* ]]
}

@test "several GB of CUDA are not fetched without a yes" {
    private_python "torch nvidia-cublas nvidia-cudnn-cu13"
    run scripts/bootstrap </dev/null
    [ "$status" -eq 78 ]
    [[ $output == *"several GB: nvidia-cublas nvidia-cudnn-cu13"*"--torch-index URL"* ]]
    [[ $output == *"no terminal to ask on"*"What was installed before stays"* ]]
    [[ $output == *"scripts/bootstrap --yes"* ]]
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
    printf '#!/bin/bash\n[ "$1" = --version ] && exit\necho "ERROR: certificate verify failed" >&2\nexit 1\n' >build/deps/venv/bin/pip
    run scripts/bootstrap </dev/null
    [ "$status" -eq 69 ]
    [[ $output == *"certificate verify failed"*"pip cannot fetch torch==2.13.0; see build/pip.log" ]]
    [[ $output != *Traceback* ]]
}

@test "TORCH_DIR stays the choice when set-up itself has changed" {
    private_python ""
    touch torch-is-there
    a_torch other
    TORCH_DIR=$PWD/other scripts/bootstrap
    echo "# a new version" >>scripts/bootstrap
    run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output == *"libtorch from $PWD/other"* ]]
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
}

@test "the torch of another Python is lent to the private one, not fetched" {
    private_python "torch nvidia-cublas"
    python_with_torch "$stubs/python3"
    run scripts/bootstrap </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"libtorch from $packages/torch"*"build/deps/venv imports torch from there"* ]]
    [ "$(build/deps/venv/bin/python -)" = "$packages/torch" ]
    grep -qx "TORCH_DIR := $packages/torch" build/config.mk
    grep -qx "PYTHON := $PWD/build/deps/venv/bin/python" build/config.mk
    [ "$(cat pip.calls)" = "install -q -r scripts/requirements.txt" ]
    run scripts/bootstrap
    [ -z "$output" ]
}

@test "the Python beside TORCH_DIR lends its torch" {
    private_python "torch nvidia-cublas"
    mkdir -p conda/bin
    python_with_torch conda/bin/python3
    TORCH_DIR=$packages/torch run scripts/bootstrap </dev/null
    [ "$status" -eq 0 ]
    [ "$(cat build/deps/venv/made-of)" -ef conda/bin/python3 ]
    [ "$(build/deps/venv/bin/python -)" = "$packages/torch" ]
    [ "$(cat pip.calls)" = "install -q -r scripts/requirements.txt" ]
}

@test "a Python that cannot have what tests use makes room for Debian's, with a torch of its own" {
    private_python ""
    touch no-wheels
    python_with_torch "$stubs/python3"
    run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output == *"$stubs/python3 cannot have what the tests' oracle uses"* ]]
    [[ $output == *"no Python here can import that torch"* ]]
    grep -qx "install -q torch==2.13.0" pip.calls
    [ "$(build/deps/venv/bin/python -)" = "$tree/torch" ]
    grep -qx "TORCH_DIR := $packages/torch" build/config.mk
}

@test "beside a TORCH_DIR of C++ alone Python gets a torch of its own" {
    private_python "torch sympy"
    a_torch other
    TORCH_DIR=$PWD/other run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output == *"no Python here can import that torch"* ]]
    grep -qx "install -q torch==2.13.0" pip.calls
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
    [ ! -e build/deps/venv/lib/python3.11/site-packages/depthq-torch.pth ]
}

@test "where that would be several GB set-up goes on without, says so, and takes a yes later" {
    private_python "torch nvidia-cublas"
    a_torch other
    TORCH_DIR=$PWD/other run scripts/bootstrap </dev/null
    [ "$status" -eq 0 ]
    [[ $output == *"has no torch: tests and benchmarks that ask it are skipped"*"--torch-index URL, or --yes, installs it" ]]
    run scripts/bootstrap
    [ -z "$output" ]
    run scripts/bootstrap --yes
    [ "$status" -eq 0 ]
    [[ $output != *"has no torch"* ]]
    grep -qx "install -q torch==2.13.0" pip.calls
    grep -qx "TORCH_DIR := $PWD/other" build/config.mk
    run scripts/bootstrap --yes
    [ -z "$output" ]
}

@test "a Python environment that cannot be made is told in pip's words" {
    private_python ""
    touch no-wheels
    run scripts/bootstrap
    [ "$status" -eq 69 ]
    [[ $output == *"ERROR: no matching wheel"*"no Python environment for the tests can be made; see build/pip.log" ]]
    [ ! -e build/config.mk ]
}

@test "an environment that a new release of the system has broken is made anew" {
    private_python ""
    touch torch-is-there
    printf '#!/bin/bash\necho "No module named pip" >&2\nexit 1\n' >build/deps/venv/bin/pip
    run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output == *"making a private Python environment"* ]]
    build/deps/venv/bin/pip --version
}

@test "without torch an environment of another Python stays" {
    private_python "torch nvidia-cublas"
    python_with_torch "$stubs/python3"
    scripts/bootstrap
    rm build/config.mk
    TORCH=0 run scripts/bootstrap
    [ "$status" -eq 0 ]
    [[ $output != *"making a private"* ]]
    [ "$(cat build/deps/venv/made-of)" = "$stubs/python3" ]
}

@test "what pip fetches lies in build/ for as long as set-up takes" {
    private_python ""
    touch torch-is-there
    scripts/bootstrap
    [ "$(cat pip.cache)" = "$PWD/build/deps/pip-cache" ]
    [ ! -e build/deps/pip-cache ]
    rm build/config.mk
    PIP_CACHE_DIR=$PWD/mine scripts/bootstrap
    [ "$(cat pip.cache)" = "$PWD/mine" ]
    [ -e mine ]
}

@test "make tells set-up the TORCH_DIR that is asked for, not the one of before" {
    cp "$BATS_TEST_DIRNAME"/../../{Makefile,VERSION} .
    mkdir -p build
    echo "TORCH_DIR := /before" >build/config.mk
    printf '#!/bin/bash\necho "TORCH_DIR=$TORCH_DIR"\n' >scripts/bootstrap
    unset MAKEFLAGS MFLAGS MAKELEVEL
    TORCH_DIR=/asked run make -s setup
    [ "${lines[-1]}" = "TORCH_DIR=/asked" ]
    run make -s TORCH_DIR=/asked setup
    [ "${lines[-1]}" = "TORCH_DIR=/asked" ]
    run make -s setup
    [ "${lines[-1]}" = "TORCH_DIR=" ]
}

@test "make without set-up names the set-up of the variant that was asked for" {
    cp "$BATS_TEST_DIRNAME"/../../{Makefile,VERSION} .
    unset MAKEFLAGS MFLAGS MAKELEVEL
    run make TORCH=0 OIIO=0 all
    [ "$status" -ne 0 ]
    [[ $output == *"run \`make TORCH=0 OIIO=0 setup\` first"* ]]
    run make all
    [[ $output == *"run \`make setup\` first"* ]]
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
