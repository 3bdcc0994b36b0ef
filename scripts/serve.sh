# shellcheck shell=bash
# shellcheck disable=SC2034  # what is set here is used by those who source it
# What `make run` and `make demo` share: one server of this checkout on this machine. Sourced, never run.

# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LISTEN=${SALAR_LISTEN:-127.0.0.1:8400}
STATE_DIR=${SALAR_STATE_DIR:-/var/lib/salar}
SALAR=$TARGET/release/salar

prepare() {
    "$ROOT/scripts/setup" build run
    "$ROOT/scripts/build" >/dev/null
    "$ROOT/scripts/libvirtd"
}

# Sets the array `serve` to the server's command line, to be run as root: libvirt's socket is for root.
serve_command() {
    serve=("$SALAR" serve --state-dir "$STATE_DIR" --listen "$LISTEN")
    [[ $EUID = 0 ]] || serve=(sudo "${serve[@]}")
}

# Prints where a server of this checkout listens; fails when none runs.
address_of_running() {
    # Another user's processes show their program only to root. A rebuilt program shows as "(deleted)".
    # shellcheck disable=SC2016
    as_root bash -c '
        for process in /proc/[0-9]*; do
            program=$(readlink "$process/exe") || continue
            [[ ${program% (deleted)} = "$0" ]] || continue
            mapfile -d "" -t arguments <"$process/cmdline" || continue
            [[ ${arguments[1]:-} = serve ]] || continue
            for i in "${!arguments[@]}"; do
                [[ ${arguments[i]} != --listen ]] || { echo "${arguments[i + 1]}"; exit 0; }
            done
        done
        exit 1' "$SALAR" 2>/dev/null
}

listens() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }
