# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by the tests that run a page's commands as they stand there: a folder of their own, what is
# printed when one fails, and the commands of a page.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/kmemdump-page-XXXXXX")

fail() {
	printf '%s: %s\nwhat it left behind: %s\n' "${0##*/}" "$1" "$folder" >&2
	exit 1
}

# page_commands PAGE: the indented lines, which are commands or parts of one.
page_commands() {
	sed -n 's/^       \{0,4\}\([^ ].*\)$/\1/p; s/^    \([^ ].*\)$/\1/p' "$top/$1"
}
