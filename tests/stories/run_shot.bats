# An artist runs a shot on the own machine.

load run_fake

@test "every frame is told in a line of its own, and all of them in the last" {
    run depthq run shot.yaml
    [ "$status" -eq 0 ]
    [ "$(grep -c '^frame=10[0-2][0-9] state=done attempt=1 seconds=' <<< "$output")" -eq 20 ]
    [[ "${lines[-1]}" == "shot: done 20, "*" s/frame on cpu, to $PWD/depth/d.####.exr" ]]
}

@test "the device and its execution class are told once, whatever the number of workers" {
    run depthq run shot.yaml --workers 3
    [ "$status" -eq 0 ]
    [ "$(grep -c '^device=cpu execution="fake"$' <<< "$output")" -eq 1 ]
    run depthq run shot.yaml --workers 3 --progress bar
    [[ "$output" == *" s/frame on cpu, to "* ]]
    [[ "$output" != *execution* ]]
    depthq run shot.yaml --workers 3 --progress json --json > result.json 2> said
    python3 - <<'PY'
import json
lines = [json.loads(line) for line in open("said")]
told = [{key: line[key] for key in ("device", "execution")} for line in lines if line["event"] == "device"]
assert told == [{"device": "cpu", "execution": "fake"}], told
assert lines[-1]["devices"] == told and json.load(open("result.json"))["devices"] == told
PY
}

@test "a chunk does its frames and no others" {
    run depthq run shot.yaml --frames 1003,1005-1009x2
    [ "$status" -eq 0 ]
    [ "$(cut -d' ' -f2 begun | sort -n | tr '\n' ' ')" = "0 1003 1005 1007 1009 " ]
}

@test "frames that are not the job's are refused by name" {
    run depthq run shot.yaml --frames 999-1002
    [ "$status" -eq 2 ]
    [ "$output" = "depthq run: --frames: 999-1000 are not among the job's frames (1001-1020)
Try: depthq run --help" ]
    [ ! -e begun ]
}

@test "a dry run tells what would be done and starts nothing" {
    run depthq run shot.yaml --dry-run --frames 1004-1006
    [ "$status" -eq 0 ]
    [[ "$output" == *"1004-1006 (3 of 20: 1001-1020)"* ]]
    [[ "$output" == *"sha256 $(sha256sum model.fake | cut -d' ' -f1)"* ]]
    [[ "$output" == *"$PWD/depth/d.1004.exr"* ]]
    [ ! -e begun ]
    [ ! -e depth ]
}

@test "a dry run as JSON lists every file" {
    depthq run shot.yaml --dry-run --json > plan.json
    python3 - <<'PY'
import json, os
plan = json.load(open("plan.json"))
assert len(plan["frames"]) == 20
assert plan["frames"][19]["path"] == os.getcwd() + "/depth/d.1020.exr"
assert plan["frames"][19]["plate"] == os.getcwd() + "/plate/p.1020.exr"
assert len(plan["model"]["sha256"]) == 64
PY
}

@test "the JSON document says what became of every frame" {
    export FAKE_WORKER="1004=skip 1006=fail:PLATE"
    depthq run shot.yaml --json > result.json 2> said && return 1
    python3 - <<'PY'
import json
result = json.load(open("result.json"))
frames = {f["frame"]: f for f in result["frames"]}
assert result["exit_status"] == 1
assert result["counts"] == {"done": 18, "skipped": 1, "failed": 1}
assert frames[1004]["state"] == "skipped"
assert frames[1006]["error"]["code"] == "PLATE"
assert not frames[1006]["error"]["retryable"]
assert frames[1007]["sha256"] == "a" * 64
PY
}

@test "progress as JSON lines is JSON in every line" {
    export FAKE_WORKER="1006=fail:PLATE 1009@1=die:9 1010=print:hello"
    depthq run shot.yaml --progress json 2> said && return 1
    python3 - <<'PY'
import json
lines = [json.loads(line) for line in open("said")]
assert all("time" in line and "event" in line for line in lines)
assert lines[-1]["event"] == "summary"
assert lines[-1]["counts"] == {"done": 19, "failed": 1}
PY
}

@test "several workers share the frames and none is done twice" {
    run depthq run shot.yaml --workers 3
    [ "$status" -eq 0 ]
    [ "$(cut -d' ' -f2 begun | sort | uniq -d | wc -l)" -eq 0 ]
    [ "$(wc -l < begun)" -eq 21 ]
}

@test "on a terminal there is a bar, and only the summary stays" {
    command -v script || skip "needs the program 'script'"
    export FAKE_WORKER="*=slow:30" TERM=xterm
    script -qec "depthq run shot.yaml" typed > /dev/null < /dev/null
    grep -q $'\r''shot \[#*-*\] ' typed
    if grep -q '^frame=' typed; then false; fi
    grep -q $'\r\033\[K''shot: done 20' typed
}

@test "TERM=dumb gets plain lines, NO_COLOR no colours" {
    command -v script || skip "needs the program 'script'"
    TERM=dumb script -qec "depthq run shot.yaml" dumb > /dev/null < /dev/null
    grep -q '^frame=1001 state=done' dumb
    export FAKE_WORKER="1001=fail:PLATE *=slow:40" TERM=xterm
    script -qec "depthq run shot.yaml" red > /dev/null < /dev/null || true
    NO_COLOR=1 script -qec "depthq run shot.yaml" grey > /dev/null < /dev/null || true
    grep -q $'\033\[31m' red
    grep -q '1 failed' grey
    if grep -q $'\033\[31m' grey; then false; fi
    grep -q '^frame 1001: /plate/p.1001.exr: scripted PLATE' <(tr '\r' '\n' < grey | sed 's/^\x1b\[K//')
}

@test "a job file that is wrong is told with all its lines" {
    sed -i 's/^model:/modle:/; s/^retries: 2/retries: many/' shot.yaml
    run depthq run shot.yaml
    [ "$status" -eq 65 ]
    [[ "$output" == *"shot.yaml:3:1: unknown key 'modle'"* ]]
    [[ "$output" == *"shot.yaml:6:10: "* ]]
    run depthq run missing.yaml
    [ "$status" -eq 66 ]
}

@test "a job without plates is an input that is missing" {
    rm plate/*
    run depthq run shot.yaml
    [ "$status" -eq 66 ]
    [[ "$output" == *"plate/p.####.exr"* ]]
}
