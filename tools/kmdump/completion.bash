# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of kmdump for bash. Commands and options are those of kmdump --help.

_kmdump_words() {
	"${COMP_WORDS[0]}" "$@" --help 2>/dev/null | awk -v section="$1" '
		/^Subcommands:/ { commands = 1; next }
		commands && /^  [a-z]/ && section == "" { print $1 }
		/^  -/ { gsub(/,/, " "); for (i = 1; i <= NF && $i ~ /^-/; i++) print $i }'
}

_kmdump() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_kmdump_words)" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_kmdump_words "$command")" -- "$word")
	elif [[ $before != --last ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _kmdump kmdump
