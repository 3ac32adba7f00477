# bash completion for switchyard-lookaside(8)
_switchyard_lookaside() {
    local current=${COMP_WORDS[COMP_CWORD]} word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $word == stat && $current != -* ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "${current:-/run/switchyard/}")
            return
        fi
    done
    mapfile -t COMPREPLY < <(compgen -W 'stat --json --help --version' -- "$current")
}
complete -o filenames -F _switchyard_lookaside switchyard-lookaside
