#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The completion offers what each command's --help prints, and nothing else:
# the function alone, then at the prompt of a shell.
set -u
lagoon=${LAGOON_BIN:-./lagoon}
bad=0
# shellcheck source=packaging/lagoon.bash
. "${srcdir:-.}/packaging/lagoon.bash" || exit 1

is() {
	[ "$2" = "$3" ] && return
	printf '%s:\n  got  %s\n  want %s\n' "$1" "$2" "$3"
	bad=1
}

# Stands in for bash's own, which works at a prompt only.
compopt() { option=$2; }

# offered WORD...: what is offered for the last one, sorted; (files) where that
# is left to readline.
offered() {
	local option=
	COMP_WORDS=(lagoon "$@")
	COMP_CWORD=$#
	_lagoon
	[ "$option" != default ] || COMPREPLY+=('(files)')
	printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd' '
}

# The long options of a command of one word or more, with = where they take a value, and the short
# ones that have no long form.
printed() {
	"$lagoon" "$@" --help | awk '/^ +-/ {
		word = $0
		sub(/^ +(-.,? )?/, "", word)
		while (match(word, /^--[a-z0-9-]+=?/)) {
			print substr(word, RSTART, RLENGTH)
			# Another name of the same.
			if (!sub(/^[^ ,]+, /, "", word))
				break
		}
		if ($1 ~ /^-[no],?$/) { sub(",", "", $1); print $1 }
	}' | sort -u | paste -sd' '
}

for command in run info predict similar topics generate 'generate ratings' bench; do
	# shellcheck disable=SC2086
	is "$command" "$(offered $command -)" "$(printed $command)"
done
# Each solver has its own; where none stands yet, all.
solvers=$(offered train '')
for solver in $solvers; do
	is "train $solver" "$(offered train "$solver" -)" "$(printed train "$solver")"
	is "train with $solver behind" "$(offered train --data x "$solver" -)" \
		"$(printed train "$solver")"
done
linear=$(printed train logistic --method sgd)
is 'train logistic --method' "$(offered train logistic --method sgd -)" "$linear"
is 'train logistic --method=' "$(offered train --method = sgd logistic -)" "$linear"
is 'train logistic svrg' "$(offered train logistic --method svrg -)" "$(printed train logistic)"
is train "$(offered train -)" "$(for solver in $solvers 'logistic --method sgd'; do
	# Words.
	# shellcheck disable=SC2086
	printed train $solver | tr ' ' '\n'; done | sort -u | paste -sd' ')"
# values OPTION WORD...: what the help of train has behind the option
values() {
	local option=$1
	shift
	"$lagoon" train "$@" --help | sed -nE "s/^ +$option=([a-z0-9|+-]+).*/\\1/p" |
		tr '|' '\n' | sort | paste -sd' '
}
for solver in kmeans lasso lda mf softmax svd svm 'logistic --method sgd'; do
	for option in --method --format --loss --sampler; do
		# shellcheck disable=SC2086
		[ -z "$(values $option $solver)" ] || is "$option of $solver" \
			"$(offered train $solver $option = '')" "$(values $option $solver)"
	done
done
is 'methods of logistic' "$(offered train logistic --method '')" \
	"$( (values --method logistic; values --method logistic --method sgd) |
		tr ' ' '\n' | sort | paste -sd' ')"
is commands "$(offered '')" "$("$lagoon" --help |
	awk '/^  [a-z]/ { print $1 } END { print "--help\n--version" }' | sort | paste -sd' ')"
is benchmarks "$(offered bench '')" \
	"$("$lagoon" bench --list | awk '{ print $1 }' | sort | paste -sd' ')"
is 'a part' "$(offered tr)" train
is value "$(offered train --consistency =)" 'asp bsp essp psp ssp vap'
is 'part of a value' "$(offered train --consistency = a)" asp
is 'method of a solver' "$(offered train lasso --method = s)" sdca
is 'format of rows' "$(offered train ridge --format = m)" matrix
is 'format of a benchmark' "$(offered bench --format = q6)" q64
is 'format of a file' "$(offered predict --format = '')" 'csv libsvm matrix'
is 'an option at once' "$(offered predict --prob)" --probabilities
is 'measure of similar rows' "$(offered similar --measure = c)" 'correlation cosine'
is 'on death' "$(offered run --on-death = c)" continue
is solver "$(offered train l)" 'lasso lda logistic'

# The value may come after a blank.
is 'value after a blank' "$(offered train --consistency '')" 'asp bsp essp psp ssp vap'
is 'part of it' "$(offered train --consistency s)" ssp
is 'value of an option cut short' "$(offered train --cons '')" 'asp bsp essp psp ssp vap'
is 'death after a blank' "$(offered run -n 2 --on-death s)" stop
is 'number' "$(offered train --epochs '')" ''
is 'number after =' "$(offered train --epochs =)" ''
is 'after a number' "$(offered train --nodes 2 lo)" logistic
is 'after a value' "$(offered train --data x --consistency b)" bsp
is 'a value that looks like an option' "$(offered train --model --data '')" 'elastic-net kmeans lasso lda logistic mf ridge softmax svd svm'
is 'an option after it' "$(offered train --consistency bsp --stal)" --staleness=
is 'a flag has no value' "$(offered train --zero-based lo)" logistic
for option in --data --test --model --report --plot; do
	is "$option" "$(offered train $option '')" '(files)'
	is "$option=" "$(offered train $option = x)" '(files)'
done
is 'the start of k-means' "$(offered train kmeans --init k)" 'kmeans++'
is 'vocabulary' "$(offered train lda --vocabulary x)" '(files)'
is 'targets' "$(offered predict --target x)" '(files)'
is '-o' "$(offered generate -o x)" '(files)'
is '--output' "$(offered generate --output x)" '(files)'

# Which word is the program of lagoon run.
for words in '' '-n 2' '--nodes 2' '--nodes = 2' '--nod 2' '--tag' '-n 4 --grace 3 --tag' \
	'--on-death = stop' '--on-death continue --nodes 2' '--' '--nodes 2 --' '-n4'; do
	# Words.
	# shellcheck disable=SC2086
	is "program after \"$words\"" \
		"$(offered run $words bas | tr ' ' '\n' | grep -x bash | sort -u)" bash
	# shellcheck disable=SC2086
	is "argument after \"$words\"" "$(offered run $words bash x)" '(files)'
done
is 'an option of the program' "$(offered run --nodes 2 bash --on-death '')" '(files)'
is 'its dash' "$(offered run bash -)" '(files)'
is 'no option after --' "$(offered run -- --no)" ''

# typed LINE: the arguments that `lagoon` gets when this is typed, where TAB
# completes. Readline does not need a terminal.
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/work" "$dir/work/a folder"
touch "$dir/work/my rows.txt" "$dir/work/a folder/in it" "$dir/work/it's"
printf '#!/bin/sh\n' >"$dir/work/my program"
chmod +x "$dir/work/my program"
cat >"$dir/rc" <<-END
	. '$(realpath "${srcdir:-.}")/packaging/lagoon.bash'
	lagoon() { printf '<%s>' "\$@" >'$dir/typed'; }
	cd '$dir/work'
END
typed() {
	rm -f "$dir/typed"
	printf '%b\nexit\n' "$1" | INPUTRC=/dev/null HISTFILE='' TERM=dumb \
		timeout 30 bash --noprofile --rcfile "$dir/rc" -i >"$dir/log" 2>&1
	cat "$dir/typed" 2>/dev/null || cat "$dir/log"
}
if printf 'echo /dev/nul\t\nexit\n' | INPUTRC=/dev/null HISTFILE='' TERM=dumb \
	timeout 30 bash --norc --noprofile -i 2>/dev/null | grep -q '^/dev/null'; then
	is 'option' "$(typed 'lagoon train --consi\tb\t')" '<train><--consistency=bsp>'
	is 'blank' "$(typed 'lagoon train --consistency b\t')" '<train><--consistency><bsp>'
	is 'file' "$(typed 'lagoon train --data=my\\ r\t')" '<train><--data=my rows.txt>'
	is 'file after a blank' "$(typed 'lagoon train --data my\\ r\tlog\t')" \
		'<train><--data><my rows.txt><logistic>'
	is 'file in quotes' "$(typed 'lagoon train --test "my r\t')" \
		'<train><--test><my rows.txt>'
	is 'file with a quote' "$(typed 'lagoon train --test it\t')" "<train><--test><it's>"
	is 'folder' "$(typed 'lagoon generate -o a\ti\t')" '<generate><-o><a folder/in it>'
	is 'folder after =' "$(typed 'lagoon generate --output=a\ti\t')" \
		'<generate><--output=a folder/in it>'
	is 'program' "$(typed 'lagoon run --nodes 2 ./my\t')" '<run><--nodes><2><./my program>'
	is 'its argument' "$(typed 'lagoon run --nodes 2 ./my\tmy\\ r\t')" \
		'<run><--nodes><2><./my program><my rows.txt>'
else
	echo 'bash has no line editing here: nothing typed'
fi
exit $bad
