# shellcheck shell=bash
# shellcheck disable=SC2034  # what is set here is used by those who source it
# What every script here shares: where things are, how to talk, how to become root. Sourced, never run.

set -euo pipefail
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Downloads and built things that outlive a checkout: a current Node, the guest image.
CACHE=${SALAR_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/salar}
# Where cargo leaves its programs.
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
[[ $TARGET = /* ]] || TARGET=$ROOT/$TARGET

# rustup puts cargo here and only a new login shell has it on PATH; daemons live in sbin.
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:/usr/sbin:/sbin

# Talk goes to stderr, so that a script's stdout stays data.
say() { printf '%s\n' "$*" >&2; }
# Ends the script with what went wrong and, in further arguments, what is known and what to do next.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    shift
    [[ $# = 0 ]] || printf '  %s\n' "$@" >&2
    exit 1
}

# Called with something this script does not know: says so, exits with 2.
misuse() { (die "$@") || exit 2; }
# Prints the comment a script opens with.
help() { awk 'NR > 1 { if (!/^#/ || /^# shellcheck/) exit; sub(/^# ?/, ""); print }' "$0"; }

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root: directly, or through sudo.
as_root() {
    if [[ $EUID = 0 ]]; then "$@"; return; fi
    have sudo || die "this step needs root: $1" "Run it as root, or install sudo."
    sudo "$@"
}

# True when systemd is this machine's init, not merely installed.
has_systemd() { [[ -d /run/systemd/system ]]; }

# Tries a command every 20 ms until it succeeds, for at most the given seconds.
wait_for() {
    local seconds=$1 end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < end)) || return 1
        sleep 0.02
    done
}

# A checksum over the contents and names of files given as arguments (folders are walked). node_modules and dist
# are what the build makes, not what it is made of.
checksum() {
    find "$@" \( -name node_modules -o -name dist \) -prune -o -type f -print0 |
        LC_ALL=C sort -z | xargs -0r sha256sum | sed "s|  $ROOT/|  |" | sha256sum | cut -c1-64
}

# Makes /dev/kvm a file that nobody can write to, FILE: to libvirt and QEMU a machine without KVM. (Anything that root
# can open for writing, libvirt takes for KVM to be looked at again, a second of probing at every call.)
cover_kvm() {
    as_root install -D -m 444 /dev/null "$1"
    as_root mount --bind "$1" /dev/kvm
    as_root mount -o remount,bind,ro /dev/kvm
}
