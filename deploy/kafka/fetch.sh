#!/usr/bin/env bash
# Apache Kafka as jars in a cache, and a Java to run them. Prints two lines: the java program, the folder of the jars.
#
#   deploy/kafka/fetch.sh          silent and instant when both are there
#   JAVA_HOME=/opt/jdk17 ...       use this Java (17 or newer) instead of the one on PATH
#
# The jars come from Maven Central by the coordinates in pom.xml, every one held against its checksum, into
# ${XDG_CACHE_HOME:-~/.cache}/jiantu/kafka-4.1.1. They lie there under the digest of pom.xml, whole or not at all:
# stopping this anywhere, or running it twice at once, does no harm.
# Where Java or Maven is missing, Debian's packages are installed (as root) or unpacked into the cache (as anyone, and
# as root with JIANTU_WITHOUT_ROOT=1).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
pom=$here/pom.xml
oldest_java=17

say() { printf 'jiantu kafka: %s\n' "$*" >&2; }
fail() {
    say "$1"
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# An account without a writable HOME keeps everything beside the environment, as the set-up of .venv does.
cache_root() {
    local place=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
    if mkdir -p "$place/jiantu" 2>/dev/null && [ -w "$place/jiantu" ]; then echo "$place/jiantu"; else echo "$root/.venv/cache/jiantu"; fi
}
cache=$(cache_root)/kafka-4.1.1
jars=$cache/jars-$(sha256sum <"$pom" | cut -c1-16)
unpacked=$cache/debian
mkdir -p "$cache"

# ---- Java and Maven --------------------------------------------------------------------------------------------
java_fits() {
    local said major
    said=$("$1" -version 2>&1 | grep -m1 ' version "') || return 1
    major=${said#*\"}
    [ "${major%%[.\"-]*}" -ge "$oldest_java" ] 2>/dev/null
}
find_java() {
    local candidate
    for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java || true)" "$unpacked"/usr/lib/jvm/*/bin/java; do
        [ -n "$candidate" ] && [ -x "$candidate" ] && java_fits "$candidate" && echo "$candidate" && return
    done
    return 1
}
find_maven() {
    local candidate
    for candidate in "$(command -v mvn || true)" "$unpacked/usr/share/maven/bin/mvn"; do
        [ -n "$candidate" ] && [ -x "$candidate" ] && echo "$candidate" && return
    done
    return 1
}
tools_there() { find_java >/dev/null && { [ -d "$jars" ] || find_maven >/dev/null; }; }

# ---- where they are missing: Debian's packages, as Ubuntu has them too -----------------------------------------
packages=(default-jre-headless maven)
by_hand="sudo apt-get install ${packages[*]}     (or any Java >= $oldest_java and Maven, on PATH)"

bring_tools() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        fail "Java >= $oldest_java and Maven are needed, and this system has no apt-get to fetch them with; install them:" "$by_hand"
    fi
    if [ "$(id -u)" = 0 ] && [ -z "${JIANTU_WITHOUT_ROOT:-}" ]; then
        say "installing ${packages[*]}"
        { apt-get -qq install -y --no-install-recommends "${packages[@]}" ||
            { apt-get -qq update && apt-get -qq install -y --no-install-recommends "${packages[@]}"; }; } \
            >"$cache/apt.log" 2>&1 || true
        tools_there && return
    fi
    say "unpacking ${packages[*]} into $unpacked (once; not root, nothing is installed)"
    unpack_tools >"$cache/unpack.log" 2>&1 || true
    tools_there || fail "Java and Maven could not be fetched (see $cache/unpack.log); install them:" "$by_hand"
}

# Java, Maven and Maven's jars; what else they depend on is for windows and printers, or on every such system.
unpack_tools() {
    local state=$cache/apt new=$unpacked.new.$$ package link target
    rm -rf "$state" "$unpacked".new.*
    mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/debs" "$new"
    download_debs "$state/debs" -o Debug::NoLocking=1 ||
        { apt_with_lists_of_its_own "$state" update &&
            download_debs "$state/debs" -o Debug::NoLocking=1 -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state"; } ||
        return 1
    for package in "$state"/debs/*.deb; do dpkg -x "$package" "$new" || return 1; done
    # Debian's links go to /etc and /usr, as if it were installed.
    find "$new" -type l -lname '/*' | while read -r link; do
        target=$new$(readlink "$link")
        [ ! -e "$target" ] || ln -sfnr "$target" "$link"
    done
    for link in "$new"/usr/lib/jvm/*/lib/security/cacerts; do trust "$link" || return 1; done
    rm -rf "$unpacked" && mv -T "$new" "$unpacked" && rm -rf "$state"
}
apt_with_lists_of_its_own() {
    local state=$1
    shift
    apt-get -qq -o Debug::NoLocking=1 -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state" "$@"
}
download_debs() (
    cd "$1" || return 1
    shift
    names=$(apt-cache "$@" -i -o APT::Cache::ShowOnlyFirstOr=true --recurse depends "${packages[@]}" |
        grep -E '^(openjdk-[0-9]+-jre-headless|default-jre-headless|java-common|maven|lib[^ ]*-java)$' | sort -u)
    case $names in *maven*openjdk-*) ;; *) return 1 ;; esac # sorted
    # shellcheck disable=SC2086 # one word a package
    apt-get -qq "$@" download $names
)

# Java's list of authorities is made when ca-certificates-java is installed; from the system's own, where there is none.
trust() {
    local store=$1
    [ ! -e "$store" ] || return 0
    rm -f "$store"
    "$root/.venv/bin/python" -W ignore - /etc/ssl/certs/ca-certificates.crt "$store" <<'PYTHON'
import sys
from pathlib import Path
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12
found = x509.load_pem_x509_certificates(Path(sys.argv[1]).read_bytes())
named = [pkcs12.PKCS12Certificate(one, f"ca{i}".encode()) for i, one in enumerate(found)]
Path(sys.argv[2]).write_bytes(pkcs12.serialize_java_truststore(named, NoEncryption()))  # Java opens its own list without a password
PYTHON
}

copy_jars() {
    local new=$jars.new.$$ java=$1 maven options=()
    maven=$(find_maven)
    # An account without a writable HOME.
    [ -n "${HOME:-}" ] && mkdir -p "$HOME/.m2" 2>/dev/null && [ -w "$HOME/.m2" ] || options+=("-Dmaven.repo.local=$cache/m2")
    say "fetching Apache Kafka 4.1.1 from Maven Central into $cache (once; 54 MB)"
    rm -rf "$jars".new.*
    JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$java")")") \
        "$maven" --batch-mode --quiet --strict-checksums -Dstyle.color=never "${options[@]}" --file "$pom" \
        dependency:copy-dependencies "-DoutputDirectory=$new" -DincludeScope=runtime >&2 || fail "Maven could not fetch the jars (see above)"
    ls "$new"/kafka_2.13-4.1.1.jar "$new"/kafka-tools-4.1.1.jar "$new"/log4j-core-*.jar >/dev/null
    mv -T "$new" "$jars"
}

# One at a time; who waited finds the work done.
if ! [ -d "$jars" ] || ! java=$(find_java); then
    exec 9>"$cache/lock"
    if command -v flock >/dev/null; then flock 9; fi
    tools_there || bring_tools
    java=$(find_java)
    [ -d "$jars" ] || copy_jars "$java"
fi
printf '%s\n' "$java" "$jars"
