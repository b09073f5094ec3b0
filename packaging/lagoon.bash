# Completion of the lagoon command for bash. Needs no other file.

# The options of each command, as its --help prints them.
_lagoon_run='--grace= --nodes= -n --on-death= --tag --help --usage'
_lagoon_info='--env -n --processes= --synthetic= --topology-only --workers= --help --usage'
_lagoon_bench='--bidirectional --csv --format= --iterations= --json --list --no-header
	--nodes= -n
	-o --output= --own --repeats= --seconds= --sizes= --staleness= --table=
	--warmup= --window= --workers= --help --usage'
_lagoon_benchmarks='get-lat get-bw add-lat add-rate clock barrier counter incast
	sparse-get sparse-add dense-add dense-apply sgd ssp
	scale numa start'
_lagoon_train='--data= --test= --zero-based --batch= --c= --change= --consistency=
	--epochs= --rate= --sample= --seed= --staleness= --tolerance= --nodes= -n --workers=
	--model= --report= --trace= --checkpoint= --every= --resume= --help --usage'
_lagoon_topics='--top= --help --usage'
_lagoon_checkpoint='--help --usage'
_lagoon_generate='--cols= --nnz= -o --output= --rows= --seed= --help --usage'

# _lagoon_reply WORDS PREFIX
_lagoon_reply() {
	COMPREPLY=($(compgen -W "$1" -- "$2"))
	# A space would come between an option and its value.
	[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
}

# Names of files are left to readline, which knows how to quote them.
_lagoon_file() {
	COMPREPLY=()
	compopt -o default
}

# _lagoon_long COMMAND WORD: prints what the word is short for among the long
# options of the command that take a value; fails if that is none.
_lagoon_long() {
	local options=_lagoon_$1 option
	[[ $2 = --?* ]] || return 1
	for option in ${!options-}; do
		[[ $option != "$2" ]] || return 1
		[[ $option = "$2"*= ]] || continue
		printf '%s\n' "${option%=}"
		return
	done
	return 1
}

# _lagoon_value OPTION PREFIX: the value of an option that takes one.
_lagoon_value() {
	case $1 in
	--consistency) _lagoon_reply 'bsp ssp essp psp vap asp' "$2" ;;
	--format) _lagoon_reply 'q64 q32 i64 i32' "$2" ;;
	--on-death) _lagoon_reply 'stop continue' "$2" ;;
	--data|--test|--model|--report|--trace|--output|-o|--checkpoint|--resume) _lagoon_file ;;
	esac
}

# _lagoon_walk COMMAND: what stands before the cursor. Sets in the caller
#	valued	the option whose value the cursor is in, or ''
#	plain	where the first word is that is neither option nor value, or ''
#	ended	1 after --
# bash makes words of --option, = and the value.
_lagoon_walk() {
	local i=2 option
	valued='' plain='' ended=''
	while ((i < COMP_CWORD)); do
		option=''
		case ${COMP_WORDS[i]} in
		--) ended=1 plain=$((i + 1)); return ;;
		-[noi]) option=${COMP_WORDS[i]} ;;
		--*) option=$(_lagoon_long "$1" "${COMP_WORDS[i]}") ;;
		-*) ;;
		*) plain=${plain:-$i}
		   # The rest is the program's.
		   [[ $1 != run ]] || return ;;
		esac
		if [[ $option ]]; then
			((i++))
			if ((i < COMP_CWORD)) && [[ ${COMP_WORDS[i]} = = ]]; then
				((i++))
			fi
			((i < COMP_CWORD)) || valued=$option
		fi
		((i++))
	done
}

# The program of `lagoon run`.
_lagoon_program() {
	mapfile -t COMPREPLY < <(compgen -c -- "$1")
	[[ $1 = */* ]] || return 0
	if ((${#COMPREPLY[@]})); then
		compopt -o filenames
	else
		_lagoon_file
	fi
}

_lagoon() {
	local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}
	local valued plain ended
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		_lagoon_reply 'train topics checkpoint generate run bench info --help --version' "$cur"
		return
	fi
	_lagoon_walk "$command"
	if [[ $valued ]]; then
		[[ $cur != = ]] || cur=
		_lagoon_value "$valued" "$cur"
		return
	fi
	if [[ $command = run && $plain ]] && ((plain < COMP_CWORD)); then
		_lagoon_file
		return
	fi
	case $command,${ended:+ended}$cur in
	run,-*) _lagoon_reply "$_lagoon_run" "$cur" ;;
	bench,-*) _lagoon_reply "$_lagoon_bench" "$cur" ;;
	bench,*) _lagoon_reply "$_lagoon_benchmarks" "$cur" ;;
	info,*) _lagoon_reply "$_lagoon_info" "$cur" ;;
	checkpoint,-*) _lagoon_reply "$_lagoon_checkpoint" "$cur" ;;
	checkpoint,*) if ((plain && plain < COMP_CWORD)); then _lagoon_file
		else _lagoon_reply 'inspect verify' "$cur"; fi ;;
	topics,-*) _lagoon_reply "$_lagoon_topics" "$cur" ;;
	topics,*) _lagoon_file ;;
	train,-*) _lagoon_reply "$_lagoon_train" "$cur" ;;
	generate,-*) _lagoon_reply "$_lagoon_generate" "$cur" ;;
	train,*) _lagoon_reply 'elastic-net lasso lda logistic ridge' "$cur" ;;
	generate,*) _lagoon_reply 'logistic' "$cur" ;;
	run,*) _lagoon_program "$cur" ;;
	esac
}
complete -F _lagoon lagoon
