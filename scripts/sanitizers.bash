# sanitizers.bash: what the sanitizers' run times are told by those who run tests.
#
#   . scripts/sanitizers.bash
#
# Memory that cannot be had is an error that tests ask for, not a defect.
suppressions=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/tests/lsan.supp
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$suppressions:print_suppressions=0}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# sanitizers_report_to FOLDER: a file there for every process that has something
# to say, whoever runs it and whatever becomes of its exit status. Children
# inherit this; other users may write there too.
sanitizers_report_to() {
    rm -rf "$1"
    mkdir -p "$1"
    chmod 1777 "$1"
    local options
    for options in ASAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS UBSAN_OPTIONS; do
        export "$options=${!options}:log_path=$1/report"
    done
}
