#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Lagoon, the twin on plain memory and the libraries beside it, alternating on
# this machine. Run from the build folder; installs nothing. Writes to OUT:
# samples, table.csv, table.md, ratio.svg, sparse.svg.
#
#	bench/peers/peers.sh [OUT]	[bench-peers]
#
# ROUNDS: of all programs [5]; PEERS: which ones, by name [all]; MOST_SECONDS
# for all rounds [360]. README.md beside this script says what is measured and how.
set -u
src=$(cd "$(dirname "$0")" && pwd)
out=${1:-bench-peers}
rounds=${ROUNDS:-5}
lagoon=${LAGOON_BIN:-$PWD/lagoon}
driver=${LAGOON_PEER:-$PWD/bench/peers/lagoon}
limit=30			# seconds for a program, far above what it takes
most=${MOST_SECONDS:-360}	# for all rounds
asleep_limit=5			# where a target that sleeps may hang
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
bin=$(mktemp -d) || exit 1
shm=
cleanup() { rm -rf "$bin" ${shm:+"$shm"}; }
trap cleanup EXIT
trap 'exit 1' INT TERM
for f in samples notes log; do : >"$out/$f"; done

# What Open MPI asks of root, which it is in containers.
if [ "$(id -u)" = 0 ]; then
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_btl_base_warn_component_unused=0 SHMEM_SYMMETRIC_HEAP_SIZE=512M
ompi_run=$(command -v mpiexec.openmpi || command -v mpiexec)
mpich_run=$(command -v mpiexec.mpich || command -v mpiexec.hydra)
ompi=("$ompi_run" -n 2 --bind-to none)

# first COMMAND...: the first that exists, or its name
first() {
	local c
	for c; do command -v "$c" && return; done
	echo "$1"
}
ompi_cc=$(first mpicc.openmpi mpicc)
mpich_cc=$(first mpicc.mpich)
shmem_cc=$(first oshcc)

# --- build: what does not build is left out, and its package named
# build NAME PACKAGES COMPILER SOURCE LIBRARIES...
built=()
missing=()
build() {
	local name=$1 packages=$2 cc=$3 source=$4
	shift 4
	if "$cc" -std=gnu11 -D_GNU_SOURCE -O3 -I"$src/../.." "$src/$source" \
		"$src/peer.c" "$src/rows.c" "$src/twin.c" -o "$bin/$name" "$@" -lm >>"$out/log" 2>&1
	then
		built+=("$name")
	else
		missing+=("$packages")
		echo "$name is left out: Debian packages $packages" >&2
		echo "$name is left out: its packages ($packages) are not installed." >>"$out/notes"
	fi
}
scalapack=(-lscalapack-openmpi -llapack -lblas -lgfortran)
build openmpi libopenmpi-dev "$ompi_cc" mpi.c
build mpich "mpich libmpich-dev" "$mpich_cc" mpi.c
build oshmem libopenmpi-dev "$shmem_cc" shmem.c
build armci "libarmci-mpi-dev libopenmpi-dev" "$ompi_cc" armci.c -larmci-openmpi
build ga "libglobalarrays-dev libarmci-mpi-dev libscalapack-openmpi-dev libopenmpi-dev gfortran" \
	"$ompi_cc" ga.c -lga-openmpi -larmci-openmpi "${scalapack[@]}"
build zmq libzmq3-dev "${CC:-cc}" zmq.c -lzmq
has() { [[ " ${built[*]} " == *" $1 "* ]]; }
command -v gnuplot >/dev/null || {
	missing+=(gnuplot-nox)
	echo "no plots: Debian package gnuplot-nox" >&2
}
[ ${#missing[@]} = 0 ] || echo "for all of it: apt-get install $(tr ' ' '\n' <<<"${missing[*]}" | sort -u | tr '\n' ' ')" >&2

# --- run
# run NAME LIMIT COMMAND...: its samples are appended; 1 if it did not finish
run() {
	local name=$1 seconds=$2
	shift 2
	shm=$(mktemp /dev/shm/lagoon-peers.XXXXXX) || exit 1
	PEER_NAME=$name PEER_SHM=$shm timeout -k 2 "$seconds" "$@" >"$bin/samples" 2>"$bin/errors" </dev/null
	rm -f "$shm"
	shm=
	# Some libraries crash after all is done (see README.md).
	if grep -q '^done' "$bin/samples"; then
		grep '^sample' "$bin/samples" >>"$out/samples"
	else
		echo "$name: did not finish in $seconds s: $*" >&2
		tail -5 "$bin/errors" >&2
		return 1
	fi
}

# one NAME: a round of one program
one() {
	case $1 in
	lagoon) run lagoon $limit "$lagoon" run -n 2 "$driver" ;;
	lagoon-i64) run lagoon-i64 $limit "$lagoon" run -n 2 "$driver" --integers ;;
	openmpi) run openmpi $limit "${ompi[@]}" "$bin/openmpi" ;;
	openmpi-sm) run openmpi-sm $limit "${ompi[@]}" --mca osc sm "$bin/openmpi" ;;
	mpich) PEER_TARGET=library run mpich $limit "$mpich_run" -n 2 "$bin/mpich" ;;
	oshmem) run oshmem $limit "${ompi[@]}" "$bin/oshmem" ;;
	armci) run armci $limit "${ompi[@]}" "$bin/armci" ;;
	ga) run ga $limit "${ompi[@]}" "$bin/ga" ;;
	zmq) run zmq $limit "$bin/zmq" ;;
	esac
}

programs=(lagoon lagoon-i64)
for p in openmpi openmpi-sm mpich oshmem armci ga zmq; do
	has "${p%-sm}" && programs+=("$p")
done
[ -z "${PEERS:-}" ] || read -ra programs <<<"$PEERS"

# Does MPICH need its target's CPU here? (Its other runs give it.)
if [[ " ${programs[*]} " == *" mpich "* ]]; then
	if PEER_ONLY=get-8 PEER_SAMPLES=1 run mpich-asleep $asleep_limit \
		"$mpich_run" -n 2 "$bin/mpich" 2>/dev/null
	then
		echo "mpich with a sleeping target: works for an 8-byte get." >>"$out/notes"
	else
		echo "mpich with a sleeping target: hangs (nothing within $asleep_limit s); its figures are with the target waiting within the library, on a core of its own." >>"$out/notes"
	fi
	sed -i '/ mpich-asleep /d' "$out/samples"
fi
for ((r = 0; r < rounds; r++)); do
	# On a busy machine fewer rounds rather than a long wait.
	if [ $r -gt 0 ] && [ $((SECONDS + SECONDS / r)) -gt "$most" ]; then
		echo "$r of $rounds rounds in $SECONDS s: the machine was busy." | tee -a "$out/notes" >&2
		rounds=$r
	fi
	[ $r -lt "$rounds" ] || break
	for ((i = 0; i < ${#programs[@]}; i++)); do
		# Nobody is always first.
		p=${programs[(i + r) % ${#programs[@]}]}
		echo "round $((r + 1)) of $rounds: $p" >&2
		one "$p" || echo "$p did not finish in a round." >>"$out/notes"
	done
done

# --- tables
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
awk -f "$src/table.awk" -v csv="$out/table.csv" -v bars="$out/bars" \
	-v cpu="${cpu:-unknown}" -v cores="$(nproc)" -v rounds="$rounds" \
	-v notes="$out/notes" "$out/samples" >"$out/table.md" || exit 1
if command -v gnuplot >/dev/null; then
	gnuplot -e "bars='$out/bars'; out='$out'" "$src/plot.gp" || exit 1
fi
cat "$out/table.md"
