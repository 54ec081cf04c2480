# Completion of missingkbs in fish. Save it: missingkbs completion fish > ~/.config/fish/completions/missingkbs.fish
function __missingkbs_complete
    set -l words (commandline -opc)
    set -l found ($words[1] complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    for line in $found
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c missingkbs -f -a '(__missingkbs_complete)'
