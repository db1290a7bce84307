#!/bin/sh
# Service Pro Stream from a fresh clone: makes .venv hold what requirements.lock says, then runs the command line in it.
# Needs Python 3.11 or later with venv, and nothing else; uses uv where there is one.
set -eu

self=$0
while [ -L "$self" ]; do
    target=$(readlink "$self")
    case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
    esac
done
root=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P)
venv=$root/.venv
state=$root/.sps
partial=$state/installing
not_installed="the packages could not be installed, for the reason above; the next start tries again."
no_venv="this Python cannot make virtual environments: install its venv module (Debian and Ubuntu: python3-venv)."

say() { printf 'sps: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        found=$(command -v "$name" 2>/dev/null) || continue
        # It is run, not looked at: shims of version managers exist for versions that do not.
        if "$found" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$found"
            return
        fi
    done
    fail "Python 3.11 or later is needed, and none of python3, python3.11 … python3.14 here is one."
}

is_current() {
    [ -x "$venv/bin/python" ] && [ ! -e "$partial" ] && cmp -s "$root/$1" "$venv/.sps-$1"
}

# Puts a pinned uv under .sps: seven seconds in all, where pip alone takes five times as long for the packages.
find_uv() {
    if command -v uv; then return; fi
    own=$state/uv
    if [ ! -x "$own/bin/uv" ] || ! cmp -s "$root/requirements-uv.lock" "$own/lock"; then
        rm -rf -- "$own"
        "$python" -I -m venv "$own" >&2 || fail "$no_venv"
        "$own/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes --only-binary :all: \
            -r "$root/requirements-uv.lock" >&2 || return 0
        cp -- "$root/requirements-uv.lock" "$own/lock"
    fi
    printf '%s\n' "$own/bin/uv"
}

# What it says goes to a file: a second way is tried where this one fails, and the last one's words are shown.
with_uv() {
    {
        [ -d "$venv" ] || "$uv" venv --quiet --python "$python" "$venv"
    } 2>"$state/install.log" &&
        (cd -- "$root" && "$uv" pip sync --quiet --python "$venv/bin/python" --require-hashes "$1") 2>>"$state/install.log"
}

install() {
    if [ ! -d "$state" ]; then
        mkdir -p -- "$state" || fail "$root cannot be written: a clone needs its own .venv and .sps."
        # Private; as root, the account that PostgreSQL runs as must still pass through.
        if [ "$(id -u)" -eq 0 ]; then chmod 711 "$state"; else chmod 700 "$state"; fi
    fi
    python=$(find_python)
    # The kernel drops this lock with the last process that has descriptor 9: a killed install leaves none behind.
    (
        "$python" -I -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
        is_current "$1" || sync_packages "$1"
    ) 9>"$state/install.lock"
}

sync_packages() {
    say "installing the packages of $1 into $venv"
    if [ -e "$partial" ] || ! "$venv/bin/python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        rm -rf -- "$venv"
    fi
    : >"$partial"
    rm -f -- "$venv"/.sps-*.lock
    # What the caller has set for Python, pip and uv elsewhere must not redirect this.
    unset PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_USER UV_SYSTEM_PYTHON
    [ -w "${HOME:-/nonexistent}" ] || export UV_NO_CACHE=1
    uv=$(find_uv)
    if [ -z "$uv" ] || ! { with_uv "$1" || (export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 && with_uv "$1"); }; then
        # pip may be configured for this machine's network where uv is not.
        say "uv does not work here; pip takes a minute instead"
        rm -rf -- "$venv"
        "$python" -I -m venv "$venv" || fail "$no_venv"
        "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --require-hashes \
            -r "$root/$1" || fail "$not_installed"
    fi
    # The tests' packages are the product's and more.
    for name in requirements.lock "$1"; do
        cp -- "$root/$name" "$venv/.sps-$name"
    done
    rm -f -- "$partial"
}

wanted=requirements.lock
[ "${1:-}" != test ] || wanted=requirements-test.lock
is_current "$wanted" || install "$wanted"

unset PYTHONHOME
if [ -n "${PYTHONDONTWRITEBYTECODE:-}" ]; then
    # Who wants no bytecode beside sources gets it apart: with none at all, each process compiles for seconds before it begins.
    unset PYTHONDONTWRITEBYTECODE
    export PYTHONPYCACHEPREFIX="${PYTHONPYCACHEPREFIX:-$state/bytecode}"
fi
export PYTHONPATH="$root" PYTHONUTF8=1 SPS_DATA_DIR="${SPS_DATA_DIR:-$root/.sps}"
exec "$venv/bin/python" -P -m cli "$@"
