# Plates in a colour space of the site's OCIO configuration.

setup() {
    load helpers
    load_programs
    if [[ $BUILD == *nooiio* ]]; then skip "OIIO=0"; fi
    plates 1001-1002 64x64
    fake luma
    cat >config.ocio <<'OCIO'
ocio_profile_version: 1
strictparsing: true
roles: {default: lin_rec709, scene_linear: lin_rec709}
displays:
  none: [!<View> {name: raw, colorspace: lin_rec709}]
active_displays: [none]
active_views: [raw]
colorspaces:
  - !<ColorSpace> {name: lin_rec709, bitdepth: 32f}
  - !<ColorSpace> {name: same, bitdepth: 32f}
  - !<ColorSpace>
    name: half
    bitdepth: 32f
    to_reference: !<MatrixTransform> {matrix: [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 1]}
OCIO
}

# native depth of a network that answers what it was given: SPACE EV
given() {
    job 1001-1002 "input: {colorspace: $1, exposure: $2}
depth: {kind: native}"
    rm -rf depth
    run_job
}

@test "a space of the configuration is converted before everything else" {
    export OCIO=$PWD/config.ocio
    given lin_rec709 -1
    [ "$status" -eq 0 ]
    oiiotool depth/d.1001.exr --ch Z -o want.exr
    given half 0 # half of the light is one stop less
    [ "$status" -eq 0 ]
    run oiiotool depth/d.1001.exr --ch Z want.exr --fail 1e-6 --diff
    [ "$status" -eq 0 ]
    given same -1 # linear Rec.709 under a name of the configuration
    run oiiotool depth/d.1001.exr --ch Z want.exr --fail 1e-6 --diff
    [ "$status" -eq 0 ]
    given same 0
    run oiiotool depth/d.1001.exr --ch Z want.exr --fail 1e-6 --diff
    [ "$status" -ne 0 ]
}

@test "another configuration makes the frames again, the same one does not" {
    export OCIO=$PWD/config.ocio
    given half 0
    run_job
    [[ $output == *"skipped 2"* ]]
    sed -i 's/0\.5/0.25/g' config.ocio
    run_job
    [[ $output == *"done 2"* ]]
}

@test "a space that nobody knows is told with those that there are" {
    given halb 0
    [ "$status" -eq 65 ]
    [[ $output == *"'halb' is not known"*'with $OCIO set'* ]]
    OCIO=$PWD/config.ocio given halb 0
    [ "$status" -eq 65 ]
    [[ $output == *"has no 'halb'; it has lin_rec709, same, half"* ]]
    OCIO=$PWD/none.ocio given half 0
    [ "$status" -ne 0 ]
    [[ $output == *'the OCIO configuration ($OCIO)'*none.ocio* ]]
    [ -z "$(find . -name '*.tmp' -o -name 'd.*.exr' -type f)" ]
}
