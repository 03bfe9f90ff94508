#!/usr/bin/env bash
# Apache Kafka as jars in a cache, and a Java to run them. Prints two lines: the java program, the folder of the jars.
#
#   deploy/kafka/fetch.sh          silent and instant when both are there
#   JAVA_HOME=/opt/jdk17 ...       use this Java (17 or newer) instead of the one on PATH
#
# The jars come from Maven Central by the coordinates in pom.xml, every one held against its checksum, into
# ${XDG_CACHE_HOME:-~/.cache}/jiantu/kafka-4.1.1. They lie there under the digest of pom.xml, whole or not at all:
# stopping this anywhere, or running it twice at once, does no harm.
# Where Java or Maven is missing, Debian's packages are installed (as root) or unpacked into the cache (as anyone).
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
find_maven() { command -v mvn; }

copy_jars() {
    local new=$jars.new.$$ java=$1 maven
    maven=$(find_maven)
    say "fetching Apache Kafka 4.1.1 from Maven Central into $cache (once; 54 MB)"
    rm -rf "$jars".new.*
    "$maven" --batch-mode --quiet --strict-checksums --file "$pom" dependency:copy-dependencies \
        "-DoutputDirectory=$new" -DincludeScope=runtime >&2 || fail "Maven could not fetch the jars (see above)"
    ls "$new"/kafka_2.13-4.1.1.jar "$new"/kafka-tools-4.1.1.jar "$new"/log4j-core-*.jar >/dev/null
    mv -T "$new" "$jars"
}

# One at a time; who waited finds the work done.
if ! [ -d "$jars" ] || ! java=$(find_java); then
    exec 9>"$cache/lock"
    flock 9
    java=$(find_java)
    [ -d "$jars" ] || copy_jars "$java"
fi
printf '%s\n' "$java" "$jars"
