#compdef missingkbs
# Completion of missingkbs in zsh. Load it in ~/.zshrc after compinit: source <(missingkbs completion zsh)
_missingkbs() {
    local -a found
    local word about
    while IFS=$'\t' read -r word about; do
        if [[ "$word" == ":files" ]]; then
            _files
            continue
        fi
        found+=("${word//:/\\:}${about:+:$about}")
    done < <("${(Q)words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
    (( $#found )) && _describe -V missingkbs found
}
if [[ "${funcstack[1]}" == "_missingkbs" ]]; then
    _missingkbs "$@"
else
    compdef _missingkbs missingkbs
fi
