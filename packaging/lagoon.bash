# Completion of the lagoon command for bash. Needs no other file.

# The options of each command, as its --help prints them.
_lagoon_run='--grace= --nodes= -n --on-death= --tag --help --usage'
_lagoon_info='--env -n --processes= --synthetic= --topology-only --workers= --help --usage'
_lagoon_bench='--bidirectional --csv --format= --iterations= --json --list --no-header
	--nodes= -n
	-o --output= --own --repeats= --seconds= --sizes= --staleness= --table=
	--warmup= --window= --workers= --help --usage'
_lagoon_benchmarks='get-lat get-bw add-lat add-rate clock barrier counter incast
	sparse-get sparse-add dense-add ssp scale numa start'
_lagoon_train='--data= --test= --zero-based --batch= --c= --consistency= --epochs=
	--rate= --seed= --staleness= --tolerance= --nodes= -n --workers=
	--model= --report= --help --usage'
_lagoon_generate='--cols= --nnz= -o --output= --rows= --seed= --help --usage'

# _lagoon_reply WORDS PREFIX
_lagoon_reply() {
	COMPREPLY=($(compgen -W "$1" -- "$2"))
	# A space would come between an option and its value.
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null
}

# _lagoon_value OPTION PREFIX: the value of an option that takes one.
_lagoon_value() {
	case $1 in
	--consistency) _lagoon_reply 'bsp ssp asp' "$2" ;;
	--format) _lagoon_reply 'q64 q32 i64 i32' "$2" ;;
	--on-death) _lagoon_reply 'stop continue' "$2" ;;
	--data|--test|--model|--report|--output|-o) COMPREPLY=($(compgen -f -- "$2")) ;;
	-n|--nodes|--workers|--grace|--processes|--synthetic|--batch|--c|--epochs) ;;
	--rate|--seed|--staleness|--tolerance|--cols|--nnz|--rows) ;;
	--sizes|--iterations|--seconds|--warmup|--repeats|--window|--table|-i) ;;
	*) return 1 ;;
	esac
}

# The program of `lagoon run`, and what follows it.
_lagoon_program() {
	local i
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n) ((i++)) ;;
		--) ((i++)); break ;;
		=|-*) [[ ${COMP_WORDS[i + 1]-} != = ]] || ((i += 2)) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)); then
		COMPREPLY=($(compgen -f -- "$1"))
	else
		COMPREPLY=($(compgen -c -- "$1"))
	fi
}

_lagoon() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_lagoon_reply 'train generate run bench info --help --version' "$cur"
		return
	fi
	# bash makes words of --option, = and the value.
	if [[ $cur = = ]]; then
		_lagoon_value "$prev" '' && return
	elif [[ $prev = = ]]; then
		_lagoon_value "${COMP_WORDS[COMP_CWORD - 2]}" "$cur" && return
	elif [[ $prev = -[noi] ]]; then
		_lagoon_value "$prev" "$cur"
		return
	fi
	case $command,$cur in
	run,-*) _lagoon_reply "$_lagoon_run" "$cur" ;;
	bench,-*) _lagoon_reply "$_lagoon_bench" "$cur" ;;
	bench,*) _lagoon_reply "$_lagoon_benchmarks" "$cur" ;;
	info,*) _lagoon_reply "$_lagoon_info" "$cur" ;;
	train,-*) _lagoon_reply "$_lagoon_train" "$cur" ;;
	generate,-*) _lagoon_reply "$_lagoon_generate" "$cur" ;;
	train,*|generate,*) _lagoon_reply 'logistic' "$cur" ;;
	run,*) _lagoon_program "$cur" ;;
	esac
}
complete -F _lagoon lagoon
