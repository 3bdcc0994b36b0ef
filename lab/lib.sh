# shellcheck shell=bash
# shellcheck disable=SC2034  # what is set here is used by those who source it
# What the two test daemons share: telling processes apart, ending them in time. Sourced, never run.

# shellcheck source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

# When a process began, in clock ticks since boot; together with its id that names it for good, while an id alone
# may be given to another process later. Fails for one that is gone or a zombie.
started_at() {
    local fields
    fields=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"$fields"
    [[ ${fields[0]:-Z} != Z ]] && echo "${fields[19]}"
}

# Writes "PID STARTED" to a file; the counterpart of `recorded`.
record() { printf '%s %s\n' "$1" "$(started_at "$1")" >"$2"; }

# Prints the id of the process that a file names, when it still lives.
recorded() {
    local pid started
    read -r pid started 2>/dev/null <"$1" || return 1
    [[ -n $started && $(started_at "$pid") = "$started" ]] && echo "$pid"
}

gone() { ! recorded "$1" >/dev/null; }

# Ends what the file $3 in the folder $1 names once the process $2 has ended: for tests that may be killed before they
# tidy up. In a session of its own, because a test is often killed together with its process group. Removing the file
# calls it off.
end_with() {
    local born
    born=$(started_at "$2") || die "there is no process $2 to die with"
    setsid "$0" --dir "$1" __watch "$2" "$born" "$3" </dev/null >/dev/null 2>&1 &
    disown
}

# The command `__watch` of each script that calls end_with.
watch() {
    local parent=$1 born=$2 file=$3 pid
    while [[ $(started_at "$parent") = "$born" && -e $file ]]; do sleep 0.2; done
    if pid=$(recorded "$file"); then kill -KILL "$pid"; fi
    rm -f "$file"
}

# A Unix socket's path has at most 107 bytes.
check_socket_path() {
    ((${#1} <= 107)) ||
        die "the folder's name is too long: $1 has ${#1} characters, a socket's path at most 107" \
            "Give a shorter --dir, such as one directly below /tmp."
}

answers() { timeout "${2:-20}" virsh -q -c "$1" version >/dev/null 2>&1; }
