#!/usr/bin/env bash
# Makes the project's own .venv: a pinned uv in it, and every package that uv.lock names, checked by hash.
#
#   deploy/setup/bootstrap.sh            make it, or bring it up to date; silent and instant when it is
#   PYTHON=/opt/py/bin/python3 ...       use this interpreter instead of the first fitting one on PATH
#
# Needs Python >= 3.11 and a package index; no root, no uv, nothing in HOME. Everything it makes lies in .venv.
# A .venv without the stamp that a finished run leaves is thrown away, so stopping it anywhere does no harm.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
venv=$root/.venv
stamp=$venv/.jiantu-stamp
uv_pin=$root/deploy/setup/uv.txt

say() { printf 'jiantu set-up: %s\n' "$*" >&2; }
fail() {
    say "$1"
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# What the environment is a function of: the first line of the stamp. The path counts, as a virtual environment cannot
# be moved; the interpreter's real path, as an upgrade of the system may put another one in its place.
fingerprint() {
    cd "$root"
    { printf '%s\n' "$root"; cat pyproject.toml uv.lock "$uv_pin" deploy/setup/bootstrap.sh; } | sha256sum
    readlink -f "$venv/bin/python"
}
named_python() { [ -z "${PYTHON:-}" ] || [ "$(sed -n 3p "$stamp")" = "$PYTHON" ]; }
usable() {
    [ -e "$stamp" ] && [ -x "$venv/bin/python" ] && named_python &&
        [ "$(sed -n 2p "$stamp")" = "$(readlink -f "$venv/bin/python")" ]
}
up_to_date() { usable && [ "$(sed 2q "$stamp")" = "$(fingerprint)" ]; }

up_to_date && exit 0

# One set-up at a time; who waited finds the work done.
if command -v flock >/dev/null 2>&1; then
    exec 9<"${BASH_SOURCE[0]}"
    flock -n 9 || { say "waiting for another set-up of this folder"; flock 9; }
    up_to_date && exit 0
fi

# Settings of the caller's that would send packages elsewhere, or make another folder the environment.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV CONDA_PREFIX PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
export UV_PROJECT_ENVIRONMENT=$venv UV_PYTHON=$venv/bin/python UV_PYTHON_DOWNLOADS=never
export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}

# ---- 1. an interpreter --------------------------------------------------------------------------------------
fits() {
    "$1" -c 'import sys
sys.exit(sys.implementation.name != "cpython" or sys.version_info < (3, 11))' >/dev/null 2>&1
}
whole() { "$1" -c 'import ssl, sqlite3, venv, zlib' >/dev/null 2>&1; }
has_ensurepip() { "$1" -c 'import ensurepip' >/dev/null 2>&1; }

choose_python() {
    local name path fitting='' broken='' seen=''
    local names=(python3 python3.13 python3.12 python3.11 python3.14)
    [ -z "${PYTHON:-}" ] || names=("$PYTHON")
    for name in "${names[@]}"; do
        path=$(command -v "$name" 2>/dev/null) || continue
        fits "$path" || { seen="$seen $name ($("$path" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo broken))"; continue; }
        whole "$path" || { broken=${broken:-$path}; continue; }
        if has_ensurepip "$path"; then
            echo "$path"
            return
        fi
        fitting=${fitting:-$path}
    done
    if [ -n "$fitting" ]; then
        echo "$fitting"
    elif [ -n "$broken" ]; then
        fail "$broken lacks one of the modules ssl, sqlite3, venv, zlib; install the full Python:" \
            "sudo apt-get install python3 python3-venv" "or name another one: PYTHON=/path/to/python3 make ..."
    else
        fail "no CPython >= 3.11 (looked for ${names[*]}; found${seen:- none}); install one, or name it:" \
            "sudo apt-get install python3 python3-venv     (Debian 12, Ubuntu 24.04 and later)" \
            "PYTHON=/path/to/python3.12 make ..."
    fi
}

# ---- 2. an empty environment with pip ------------------------------------------------------------------------
# Debian keeps the pip that `venv` needs in a package of its own. Its wheel can be had without root.
fetch_pip_wheel() {
    local cache=$venv/cache/pip-wheel wheel
    local lists=(-o "Dir::State=$cache/state" -o "Dir::Cache=$cache/apt" -o Debug::NoLocking=1)
    command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || return 1
    mkdir -p "$cache/state/lists/partial" "$cache/apt/archives/partial"
    (
        cd "$cache"
        apt-get -qq download python3-pip-whl ||
            { apt-get -qq "${lists[@]}" update && apt-get -qq "${lists[@]}" download python3-pip-whl; }
    ) >"$cache/log" 2>&1 || return 1
    dpkg -x "$cache"/python3-pip-whl_*.deb "$cache/tree" || return 1
    rm -rf "$cache/state" "$cache/apt"
    for wheel in "$cache"/tree/usr/share/python-wheels/pip-*.whl; do
        [ -e "$wheel" ] && echo "$wheel" && return
    done
    return 1
}

make_environment() {
    local python=$1 wheel
    if has_ensurepip "$python" && "$python" -m venv "$venv" >&2; then
        pip=("$venv/bin/python" -m pip)
        return
    fi
    say "$python has no working ensurepip (Debian's package python3-venv): trying without it"
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv"
    if "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
        pip=("$python" -m pip --python "$venv/bin/python")
    elif wheel=$(fetch_pip_wheel); then
        pip=(env "PYTHONPATH=$wheel" "$venv/bin/python" -m pip)
    else
        rm -rf "$venv"
        fail "the package python3-venv is missing, and its pip could not be fetched without root; install it:" \
            "sudo apt-get install python3-venv"
    fi
}

# ---- 3. how this machine reaches its package index -----------------------------------------------------------
# uv does not read pip's configuration, so what pip was told about index, certificates and proxy is told to uv.
pip_setting() {
    local place line
    for place in :env: install global; do
        while IFS= read -r line; do
            case $line in "$place.$1='"*"'")
                line=${line#*"='"}
                echo "${line%"'"}"
                return
            esac
        done <<<"$pip_settings"
    done
}
adopt() {
    local value
    value=$(pip_setting "$2")
    if [ -z "${!1:-}" ] && [ -n "$value" ]; then export "$1=$value"; fi
}
reach_index() {
    pip_settings=$("${pip[@]}" config list 2>/dev/null || true)
    [ -n "${UV_INDEX_URL:-}" ] || adopt UV_DEFAULT_INDEX index-url
    adopt UV_INSECURE_HOST trusted-host
    adopt SSL_CERT_FILE cert
    [ -n "${HTTPS_PROXY:-}${https_proxy:-}${ALL_PROXY:-}${all_proxy:-}" ] || adopt HTTPS_PROXY proxy
    # Offices with a certificate authority of their own put it into the system's store.
    [ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
    # An account without a writable HOME keeps the downloads beside the environment.
    if [ -z "${UV_CACHE_DIR:-}${XDG_CACHE_HOME:-}" ] && ! { [ -n "${HOME:-}" ] && mkdir -p "$HOME/.cache" 2>/dev/null; }; then
        export UV_CACHE_DIR=$venv/cache/uv
    fi
}

# ---- 4. all of it --------------------------------------------------------------------------------------------
sync() {
    local uv=$venv/bin/uv
    "${pip[@]}" install --quiet --require-hashes -r "$uv_pin" >&2 || return
    # Exported and not `uv sync`ed: the lock file names the public index's own download addresses, which a machine
    # behind a mirror cannot reach. The hashes are the lock's either way.
    "$uv" export --quiet --frozen --all-groups --no-emit-project --output-file "$venv/requirements.txt" \
        --project "$root" >/dev/null || return
    "$uv" pip sync --quiet --require-hashes "$venv/requirements.txt" || return
    "$uv" pip install --quiet --no-deps --no-config --editable "$root"
}

if usable && [ "$(sed -n 4p "$stamp")" = "$root" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "bringing .venv up to date"
    pip=("$venv/bin/python" -m pip)
    named=$(sed -n 3p "$stamp")
    rm -f "$stamp"
else
    python=$(choose_python)
    named=${PYTHON:-}
    say "making .venv with $("$python" --version) (once; it takes about a minute)"
    rm -rf "$venv"
    make_environment "$python"
fi
reach_index
sync || fail "installing the packages failed (see above). Run the same command again: it starts afresh."
printf '%s\n' "$(fingerprint)" "$named" "$root" >"$stamp.new"
mv "$stamp.new" "$stamp"
say "done"
