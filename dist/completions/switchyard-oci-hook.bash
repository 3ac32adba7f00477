# bash completion for switchyard-oci-hook(1)
_switchyard_oci_hook() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    case $previous in
        --root) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        --socket) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --name | --leader | --service) return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W 'register unregister --name --leader --service --root --trust-annotations
        --strict --socket --help --version' -- "$current")
}
complete -F _switchyard_oci_hook switchyard-oci-hook
