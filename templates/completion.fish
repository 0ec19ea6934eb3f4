# Completion of xy for fish. What can follow is asked of xy itself, at each press of Tab.

function __xy_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l word (commandline -ct)
    set -l lines (command xy __complete fish $words "$word" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    set -l before (string match -r -- '^--[^=]*=' "$word")
    set -l rest (string replace -r -- '^--[^=]*=' '' "$word")
    switch "$kind"
        case :files
            printf '%s\n' "$before"(__fish_complete_path "$rest")
        case :folders
            printf '%s\n' "$before"(__fish_complete_directories "$rest")
        case :program
            set -l at (contains -i -- -- $words)
            complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-1]) "$word")
        case :names
            printf '%s\n' $lines
    end
end

complete -c xy -e
complete -c xy -f -k -a '(__xy_complete)'
