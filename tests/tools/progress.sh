# shellcheck shell=bash
# Shows what a script waits for, on one line that is updated where there is a terminal, and in plain lines elsewhere: for
# scripts that source it and set `logs`.
# shellcheck disable=SC2154

# waiting NAME WHAT COMMAND...: runs the command. Its output goes to the log, and is shown only if the command fails.
waiting() {
    local name=$1 what=$2 log=$logs/$1.log started=$SECONDS status=0 clock=
    shift 2
    if [ -t 1 ]; then
        show_seconds "$name: $what" 9>&- &
        clock=$!
    else
        echo "$name: $what"
    fi
    "$@" >"$log" 2>&1 || status=$?
    if [ -n "$clock" ]; then
        kill "$clock" 2>/dev/null || :
        wait "$clock" 2>/dev/null || :
        printf '\r\033[K'
    fi
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
        return "$status"
    fi
    echo "$name: done in $((SECONDS - started)) s"
}

show_seconds() {
    local from=$SECONDS
    # $$ is the script in here too. A background process ignores Ctrl-C, so it has to see the end of the script by itself.
    while kill -0 $$ 2>/dev/null; do
        printf '\r\033[K%s; %d s so far' "$1" $((SECONDS - from))
        sleep 1
    done
}
