# Completion of missingkbs in bash. Load it in ~/.bashrc: source <(missingkbs completion bash)
_missingkbs() {
    local word
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        if [ "$word" = ":files" ]; then
            compopt -o default
            continue
        fi
        printf -v word '%q' "$word"
        COMPREPLY+=("$word")
    done < <("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _missingkbs missingkbs
