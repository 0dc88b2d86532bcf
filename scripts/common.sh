# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the other scripts: paths, progress output, error handling.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kmemdump-md
build=$top/build
sanitized=$top/build-sanitize
mkdir -p "$cache"

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# step TEXT COMMAND...: runs COMMAND with its output in a log, which is shown if it fails.
# Prints TEXT at the start, and a progress line every ten seconds.
step() {
	local text=$1 log start=$SECONDS pid waited=0
	shift
	log=$(mktemp)
	printf '==> %s\n' "$text" >&2
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		waited=$((waited + 1))
		if [ $((waited % 50)) -eq 0 ]; then
			printf '    still at it, %d s: %s\n' $((SECONDS - start)) "$(tail -n 1 "$log" | cut -c 1-70)" >&2
		fi
	done
	if ! wait "$pid"; then
		cat "$log" >&2
		rm -f "$log"
		die "failed: $text"
	fi
	if [ $((SECONDS - start)) -ge 2 ]; then
		printf '    done in %d s\n' $((SECONDS - start)) >&2
	fi
	rm -f "$log"
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "installing packages needs root: run as root, or install sudo"
		sudo "$@"
	fi
}

# Configures the instrumented build of unit tests and fuzz targets: ASan, UBSan, libFuzzer.
# Line numbers are what a sanitizer shows; more debugging information takes a third longer to compile.
configure_sanitized() {
	[ -f "$sanitized/build.ninja" ] || CC=clang CXX=clang++ meson setup "$sanitized" "$top" -Dfuzz=true \
		-Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Ddebug=true -Dcpp_args=-gline-tables-only
}

# publish_folder TMP FINAL: makes a folder appear in the cache completely or not at all.
publish_folder() {
	mkdir -p "$(dirname "$2")"
	rm -rf "$2"
	mv "$1" "$2"
}
