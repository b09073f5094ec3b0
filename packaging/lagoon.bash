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
	scale mates numa start'
# Of train, where no solver stands yet: of all of them.
_lagoon_train_logistic='--data= --test= --zero-based --batch= --c= --change= --consistency=
	--epochs= --method= --rate= --sample= --seed= --staleness= --tolerance= --nodes= -n --workers=
	--model= --plot= --report= --trace= --checkpoint= --every= --resume= --help --usage'
# With --method, but svrg.
_lagoon_train_linear='--data= --target= --test= --test-target= --format= --zero-based --in-order --stream --loss=
	--method= --c= --l1= --l2= --rate= --epochs= --tolerance= --batch= --n-fetch=
	--n-push= --change= --checkpoint= --every= --resume= --consistency= --staleness= --sample= --seed= --nodes= -n
	--workers= --model= --plot= --report= --help --usage'
_lagoon_train_softmax=$_lagoon_train_linear
_lagoon_train_svm=$_lagoon_train_linear
_lagoon_methods_linear='adagrad auto downpour ftrl gradient lbfgs proximal sdca sgd'
_lagoon_train_lasso='--data= --target= --format= --zero-based --l1= --l2= --standardise
	--no-intercept --method= --tolerance= --epochs= --rounds= --consistency=
	--staleness= --sample= --seed= --nodes= -n --workers= --model= --plot= --report=
	--checkpoint= --every= --resume= --help --usage'
_lagoon_train_ridge=$_lagoon_train_lasso
_lagoon_train_elastic_net=$_lagoon_train_lasso
_lagoon_train_lda='--data= --test= --format= --vocabulary= --skip-empty --topics= --alpha= --beta=
	--eta= --sweeps= --sampler= --steps= --anneal= --rounds= --measure= --top= --change=
	--consistency= --staleness= --sample= --seed= --nodes= -n --workers= --model= --plot=
	--report= --checkpoint= --every= --resume= --help --usage'
_lagoon_train_mf='--data= --test= --method= --rank= --biases --lambda= --lambda-bias= --epochs= --rate=
	--decay= --rounds= --measure= --consistency= --staleness= --sample= --seed= --nodes= -n
	--workers= --model= --plot= --report= --checkpoint= --every= --resume= --help --usage'
_lagoon_train_svd='--data= --format= --k= --left= --right= --method= --tolerance= --basis=
	--restarts= --oversample= --power= --consistency= --staleness= --sample= --seed=
	--nodes= -n --workers= --model= --plot= --report= --checkpoint= --every= --resume=
	--help --usage'
_lagoon_train_kmeans='--data= --format= --zero-based --k= --clusters= --method= --init= --candidates=
	--restarts= --rounds= --iterations= --tolerance= --batch= --measure= --assign=
	--consistency= --staleness= --sample= --seed= --nodes= -n --workers= --model= --plot=
	--report= --checkpoint= --every= --resume= --help --usage'
_lagoon_solvers='elastic-net kmeans lasso lda logistic mf ridge softmax svd svm'
_lagoon_train=$(printf '%s\n' $_lagoon_train_logistic $_lagoon_train_linear $_lagoon_train_lasso \
	$_lagoon_train_lda $_lagoon_train_mf $_lagoon_train_svd $_lagoon_train_kmeans | sort -u)
_lagoon_predict='--data= --format= --model= -o --output= --probabilities --target=
	--zero-based --help --usage'
_lagoon_similar='--against= --data= --format= --target --zero-based --least= --measure= --top=
	--nodes= -n --workers= -o --output= --report= --help --usage'
_lagoon_topics='--top= --help --usage'
_lagoon_checkpoint='--help --usage'
_lagoon_generate='--cols= --nnz= --rows= --documents= --length= --words= --topics= --topic-words=
	--document-topics= -o --output= --seed= --help --usage'
_lagoon_generate_ratings='--items= --noise= --rank= --ratings= --test= --users= -o --output= --seed=
	--help --usage'

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

# _lagoon_solver: the options of the solver that stands behind train, as a
# variable has them. bash makes words of --method, = and the method.
_lagoon_solver() {
	local i word solver='' method=''
	for ((i = 2; i < ${#COMP_WORDS[@]}; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word = --method ]]; then
			[[ ${COMP_WORDS[i + 1]-} != = ]] || ((i++))
			((i + 1 >= COMP_CWORD)) || method=${COMP_WORDS[i + 1]-}
		elif [[ -z $solver && " $_lagoon_solvers " = *" $word "* ]]; then
			solver=_${word//-/_}
		fi
	done
	if [[ $solver = _logistic && $method && $method != svrg ]]; then
		solver=_linear
	fi
	printf '_lagoon_train%s\n' "$solver"
}

# The methods of that solver.
_lagoon_methods() {
	case $(_lagoon_solver) in
	*_linear|*_softmax|*_svm) echo "$_lagoon_methods_linear" ;;
	*_logistic) echo "svrg $_lagoon_methods_linear" ;;
	*_lasso|*_ridge|*_elastic_net) echo 'cd mspg sdca' ;;
	*_mf) echo 'als ccd++ sgd' ;;
	*_svd) echo 'lanczos randomised' ;;
	*_kmeans) echo 'lloyd minibatch' ;;
	*) echo "als ccd++ cd lanczos lloyd minibatch mspg randomised svrg $_lagoon_methods_linear" ;;
	esac
}

# _lagoon_long COMMAND WORD: prints what the word is short for among the long
# options of the command that take a value; fails if that is none.
_lagoon_long() {
	local options=_lagoon_$1 option found=''
	[[ $2 = --?* ]] || return 1
	for option in ${!options-}; do
		[[ $option != "$2" ]] || return 1
		[[ $option != "$2=" ]] || found=$option
		[[ $option != "$2"*= ]] || found=${found:-$option}
		[[ $found != "$2=" ]] || break
	done
	[[ $found ]] && printf '%s\n' "${found%=}"
}

# _lagoon_value OPTION PREFIX: the value of an option that takes one.
_lagoon_value() {
	case $1 in
	--method) _lagoon_reply "$(_lagoon_methods)" "$2" ;;
	--measure) [[ ${COMP_WORDS[1]} != similar ]] ||
		_lagoon_reply 'correlation cosine jaccard pearson ruzicka' "$2" ;;
	--sampler) _lagoon_reply 'alias dense sparse' "$2" ;;
	--init) _lagoon_reply 'kmeans++ random' "$2" ;;
	--loss) _lagoon_reply 'hinge squared-hinge' "$2" ;;
	--consistency) _lagoon_reply 'bsp ssp essp psp vap asp' "$2" ;;
	--format) case ${COMP_WORDS[1]} in
		bench) _lagoon_reply 'q64 q32 i64 i32' "$2" ;;
		similar) _lagoon_reply 'csv libsvm matrix ratings' "$2" ;;
		train) case $(_lagoon_solver) in
			*_lda) _lagoon_reply 'docword ldac' "$2" ;;
			*_svd) _lagoon_reply 'csv matrix' "$2" ;;
			*_kmeans) _lagoon_reply 'dense libsvm' "$2" ;;
			*_lasso|*_ridge|*_elastic_net) _lagoon_reply 'csv libsvm matrix' "$2" ;;
			*_train) _lagoon_reply 'csv dense docword ldac libsvm matrix' "$2" ;;
			*) _lagoon_reply 'csv libsvm matrix' "$2" ;;
			esac ;;
		*) _lagoon_reply 'csv libsvm matrix' "$2" ;;
		esac ;;
	--on-death) _lagoon_reply 'stop continue' "$2" ;;
	--data|--against|--test|--target|--test-target|--left|--right|--vocabulary|--assign|--model|--plot|--report|--trace|--output|-o|--checkpoint|--resume) _lagoon_file ;;
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
		_lagoon_reply 'train predict topics similar checkpoint generate run bench info --help --version' "$cur"
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
	train,-*) plain=$(_lagoon_solver); _lagoon_reply "${!plain}" "$cur" ;;
	predict,*) _lagoon_reply "$_lagoon_predict" "$cur" ;;
	similar,*) _lagoon_reply "$_lagoon_similar" "$cur" ;;
	topics,-*) _lagoon_reply "$_lagoon_topics" "$cur" ;;
	topics,*) _lagoon_file ;;
	generate,-*) if [[ " ${COMP_WORDS[*]:2:COMP_CWORD-2} " = *' ratings '* ]]; then
			_lagoon_reply "$_lagoon_generate_ratings" "$cur"
		else _lagoon_reply "$_lagoon_generate" "$cur"; fi ;;
	train,*) _lagoon_reply "$_lagoon_solvers" "$cur" ;;
	generate,*) _lagoon_reply 'lda logistic ratings' "$cur" ;;
	run,*) _lagoon_program "$cur" ;;
	esac
}
complete -F _lagoon lagoon
