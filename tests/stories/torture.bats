# Whatever is killed when: nothing acknowledged is lost. `make torture` is the
# long form. Seed and counts are printed where it fails.

@test "daemon and workers killed at random points lose no job, no frame and no byte" {
    build="${DEPTHQ_BUILD:-$BATS_TEST_DIRNAME/../../build/release}"
    "${PYTHON:-python3}" "$BATS_TEST_DIRNAME/../fault/torture.py" "$build" \
        --kills "${DEPTHQ_KILLS:-200}" --frames "${DEPTHQ_FRAMES:-2000}" --seed "${DEPTHQ_SEED:-4711}" \
        --work "$(mktemp -d "$BATS_TEST_TMPDIR/torture.XXXX")" 3>&-
}
