#!/usr/bin/env bash
# What pip cannot install. Each command is silent when nothing is missing, installs the Debian package when it may
# (as root, or through a sudo that asks nothing), and otherwise says in one line what to install.
#   ensure_system.sh python     prints the path of a Python 3.11 or newer that can make a venv
#   ensure_system.sh chromium   makes sure that a Chromium is on PATH
set -euo pipefail

fail() {
    echo "$*" >&2
    exit 1
}

install() { # install <why> <package>...: the packages, or one line that names them
    local why=$1 as_root=()
    shift
    local wanted="$why Install it with: sudo apt-get install $*"
    command -v apt-get >/dev/null || fail "$why Install: $*"
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || fail "$wanted"
        as_root=(sudo -n)
    fi
    echo "$why Installing $* ..." >&2
    local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
    # An old index is no obstacle as long as the install itself works.
    "${as_root[@]}" "${quiet[@]}" update >/dev/null 2>&1 || true
    "${as_root[@]}" "${quiet[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 || fail "$wanted"
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() { # PYTHON, if given, is the only candidate
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null && new_enough "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

ensure_python() {
    local python version
    python=$(find_python) || fail "Python 3.11 or newer is needed (python3 --version); Debian 12 and later have it."
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        install "$python cannot make a virtual environment." "$version"
    fi
    echo "$python"
}

ensure_chromium() {
    local name
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null; then return; fi
    done
    # The fonts carry the Vietnamese letters.
    install "The browser tests need Chromium." chromium fonts-dejavu-core
}

case "${1:-}" in
python) ensure_python ;;
chromium) ensure_chromium ;;
*) fail "usage: $0 python|chromium" ;;
esac
