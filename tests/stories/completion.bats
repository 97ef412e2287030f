# What TAB knows: `depthq completion`.

setup() {
    load helpers
    load queue
    load_programs
}

teardown() { kill_daemon; }

# offered WORD...: what bash offers for the last one
offered() {
    bash -c 'source <(depthq completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_depthq 2>&1
printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}

@test "every command is completed, with the options of its help" {
    commands=$(depthq --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort)
    [ "$(wc -w <<<"$commands")" -ge 20 ]
    [ "$(offered depthq '' | grep -v '^--' | sort)" = "$commands" ]
    [ "$(offered depthq val)" = validate ]
    for command in $commands; do
        [ "$command" = help ] || [ "$(offered depthq "$command" --he)" = --help ]
    done
    [ "$(offered depthq submit --w)" = --watch ]
    [ "$(offered depthq run -- | wc -l)" -gt 10 ]
    [ "$(offered depthq help sch)" = schema ]
    [ "$(offered depthq workers d)" = drain ]
    touch one.yaml
    [ "$(offered depthq submit on)" = one.yaml ]
    [ "$(offered depthq reprocess on)" = one.yaml ]
    [ -z "$(offered depthq sumbit --w)" ]
}

@test "zsh and fish read their scripts" {
    run depthq completion zhs
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "depthq completion: there is none for 'zhs' (did you mean 'zsh'?)" ]
    depthq completion zsh >script.zsh
    depthq completion fish >script.fish
    grep -q "^            'validate:Tell everything" script.zsh
    grep -q "^complete -c depthq .* -a validate -d 'Tell everything" script.fish
    command -v zsh >/dev/null || skip "zsh is not here"
    zsh -n script.zsh
    command -v fish >/dev/null || skip "fish is not here"
    fish -n script.fish
}

# Names are other people's words, though the queue takes no such one today.
@test "jobs are completed by id and name, and no name is run" {
    fake affine
    library net.fake
    mkdir plate && touch plate/p.1001.exr
    job 1001 'name: sh010_depth'
    sed -i 's|^model: .*|model: net|' shot.yaml
    start_daemon
    depthq submit --hold shot.yaml
    [ "$(offered depthq watch '')" = $'1\nsh010_depth' ]
    [ "$(offered depthq cancel sh)" = sh010_depth ]
    kill_daemon
    [ -z "$(offered depthq watch '')" ]
    run bash -c 'source <(depthq completion bash)
depthq() { printf "JOB  NAME\n  1  \$(touch\${IFS}pwned)\n"; }
COMP_WORDS=(depthq watch "") COMP_CWORD=2
_depthq
eval "echo ${COMPREPLY[*]}"'
    [ "$output" = '1 $(touch${IFS}pwned)' ]
    [ ! -e pwned ]
}
