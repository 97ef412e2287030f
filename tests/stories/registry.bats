# Where a daemon runs it keeps count of the models: what each version made, and
# which its jobs still need.

setup() {
    load helpers
    load queue
    load_programs
    export DEPTHQ_MODELS=$PWD/library XDG_DATA_HOME=$PWD/data DEPTHQ_STATE=$PWD/state
    unset DEPTHQ_SOCKET DEPTHQ_SERVER XDG_RUNTIME_DIR
    plates 1001-1003
    add_version 1.0.0
    job 1001-1003
    sed -i 's|./net.fake|mine|' shot.yaml
}

teardown() {
    kill_daemon
    [ -z "${listener:-}" ] || kill "$listener"
}

# mine: what the daemon itself says of the model, as JSON
mine() {
    python3 -c 'import http.client, socket
c = http.client.HTTPConnection("depthqd")
c.sock = socket.socket(socket.AF_UNIX)
c.sock.connect("state/socket")
c.request("GET", "/v1/models?name=mine")
print(c.getresponse().read().decode())'
}

# known KEY: of the first version
known() { mine | json "v['models'][0]['$1']"; }

@test "a version's frames are counted, also after its job is forgotten and the daemon was killed" {
    [ "$(depthq models list mine --json | json 'v[0]["frames"], v[0]["live"]')" = "None None" ]
    start_daemon --threads 1
    [ "$(depthq models list mine --json | json 'v[0]["frames"], v[0]["live"]')" = "0 0" ]
    depthq submit shot.yaml --watch
    run depthq models list mine
    [[ $output == *"mine@1.0.0"*" 3 frames"* ]]
    run depthq models show mine
    [[ $output == *" 3 frames"*"last frame"*"20"* ]]
    depthq submit shot.yaml --watch # all are right already: nothing is made
    [ "$(depthq models show mine --json | json 'v["frames"], v["live"]')" = "3 0" ]
    depthq rm 1 2
    kill_daemon
    start_daemon --threads 1
    [ "$(depthq models show mine --json | json 'v["frames"]')" = 3 ]
    # without a daemon the library tells what it knows itself
    kill_daemon
    run depthq models list mine
    [ "$status" -eq 0 ]
    [[ $output == *"mine@1.0.0"* && $output != *"frames"* ]]
}

@test "what a job still needs cannot be taken out" {
    start_daemon --threads 1
    depthq submit shot.yaml --hold
    run depthq models list mine
    [[ $output == *" 1 live job"* ]]
    run depthq models rm mine@1.0.0
    [ "$status" -eq 2 ]
    [[ $output == *"mine@1.0.0: 1 job of the queue still needs it"* ]]
    depthq models show mine
    depthq cancel 1
    depthq models rm mine@1.0.0
    [ "$(known state)" = gone ]
}

@test "the daemon follows what becomes of a version" {
    start_daemon --threads 1
    depthq submit shot.yaml --watch
    depthq models verify mine
    [ "$(known verdict)" = passed ]
    depthq models alias mine@prod=1.0.0
    [ "$(known aliases)" = "['prod']" ]
    depthq models alias mine@prod=
    [ "$(known aliases)" = "[]" ]
    depthq models retire mine@1.0.0
    [ "$(known state)" = retired ]
    add_version 2.0.0 luma
    [ "$(mine |
        json '[(m["version"], m["state"], m["frames"]) for m in v["models"]], [(m["from"], m["to"]) for m in v["moves"]]')" = \
        "[('1.0.0', 'retired', 3), ('2.0.0', 'there', 0)] [(None, '1.0.0'), ('1.0.0', None)]" ]
}

# tell: the daemon looks again; the status of its answer
tell() {
    python3 -c 'import http.client, socket
c = http.client.HTTPConnection("depthqd")
c.sock = socket.socket(socket.AF_UNIX)
c.sock.connect("state/socket")
c.request("POST", "/v1/models", "{\"name\": \"mine\"}", {"Content-Type": "application/json"})
print(c.getresponse().status)'
}

# unreadable FILE: also for root
unreadable() { mv "$1" "$1.away" && ln -s "${1##*/}" "$1"; }
readable() { rm "$1" && mv "$1.away" "$1"; }

@test "what cannot be read is not gone" {
    start_daemon --threads 1
    depthq models verify mine
    depthq models alias mine@prod=1.0.0
    add_version 2.0.0 luma
    [ "$(tell)" = 200 ]
    mine >before
    for file in library library/mine.aliases.json; do
        unreadable "$file"
        [ "$(tell)" -ge 400 ]
        mine | cmp - before
        readable "$file"
    done
    for file in library/mine@1.0.0.json library/mine@1.0.0.verdict.json; do
        [ -e "$file" ] || file=${file%.json}
        unreadable "$file"
        [ "$(tell)" = 200 ]
        mine | cmp - before
        readable "$file"
    done
    depthq models rm mine@2.0.0
    [ "$(mine | json '[m["state"] for m in v["models"]]')" = "['there', 'gone']" ]
}

@test "a daemon that cannot take note does not hinder the library" {
    mkdir state
    # something that hears and never answers as a daemon does
    python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind("state/socket")
s.listen()
print(flush=True)
while True: s.accept()[0].close()' >listening 3>&- &
    listener=$!
    until_true test -s listening
    run add_version 2.0.0 luma
    [ "$status" -eq 0 ]
    [[ $output == *"mine@2.0.0 added to"* && $output == *"the daemon does not know of it yet"* ]]
    run depthq models list mine
    [ "$status" -eq 0 ]
    [[ $output == *"how often they were used is not known"* && $output == *"mine@2.0.0"* ]]
    run depthq models rm mine@2.0.0 # perhaps a job needs it
    kill "$listener"
    listener=
    [ "$status" -eq 69 ]
    [[ $output == *"whether jobs need it is not known"* ]]
    depthq models rm mine@2.0.0
}
