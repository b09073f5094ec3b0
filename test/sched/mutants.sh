#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Schedules find races: each of these changes to one file of the runtime is
# found within so many seeds, by the sentence that it must break. That the
# runtime without them passes is schedules.sh.
#
#	mutants.sh [NAME...]	only these
set -u
srcdir=${srcdir:-.}
seeds=${SCHED_SEEDS:-20000}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
case $SCHED_CFLAGS in
*-fsanitize*) echo "built with a sanitizer"; exit 77 ;;
esac
bad=0 found=0 only=" $* "

# mutant NAME FILE WHAT-IT-MUST-SAY PERL-SUBSTITUTION [OPTIONS]
mutant() {
	local name=$1 file=$2 says=$3 edit=$4 options=${5:-} status
	[ "$only" = '  ' ] || [[ $only = *" $name "* ]] || return
	perl -0pe "$edit" "$srcdir/runtime/$file" >"$tmp/$file"
	if cmp -s "$srcdir/runtime/$file" "$tmp/$file"; then
		echo "$name: nothing to change in runtime/$file"
		bad=1
		return
	fi
	# Options are words.
	# shellcheck disable=SC2086
	if ! { $CC $SCHED_CFLAGS -O0 -w -c -o "$tmp/mutant.o" "$tmp/$file" &&
		./libtool --silent --tag=CC --mode=link $CC $SCHED_CFLAGS \
			-o "$tmp/sched" test/sched/*.o "$tmp/mutant.o" \
			libtestsupport.la libsched.la libverbs.la libbase.la -lm
	} >"$tmp/make" 2>&1; then
		cat "$tmp/make"
		echo "$name: does not build"
		bad=1
		return
	fi
	# shellcheck disable=SC2086
	timeout 300 "$tmp/sched" --seeds "1-$seeds" $options >"$tmp/out" 2>&1
	status=$?
	if [ $status != 1 ] || ! grep -qE "^sched: rank -?[0-9]+: ($says)" "$tmp/out"; then
		echo "$name: not found in $seeds seeds (status $status): $(tail -n 1 "$tmp/out")"
		bad=1
		return
	fi
	found=$((found + 1))
	sed -nE "s/^sched: rank -?[0-9]+: ([^[(]*).*\[seed ([0-9]+):.*/$name: seed \2: \1/p" \
		"$tmp/out" | head -n 1 | cut -c 1-120
}

wrong='I[1-4]|bsp'

mutant take_while_reading fetch.c "$wrong" \
	's/while \(!lgn_page_acquire\((&t->page\[page\]), LGN_PUSHING, t->lg->rank\)\) \{(.*?)\n\t\}/while (lgn_page_pushing($1)) {$2\n\t}\n\tatomic_store($1.hold, lgn_hold(LGN_PUSHING, t->lg->rank));/s'
mutant publish_first clock.c "$wrong" \
	's/rc = lgn_push_deltas\(w\);\n\tif \(rc && rc != LAGOON_ERANGE\)\n\t\treturn rc;\n\trc2 = publish\(lg, view, clock\);/rc2 = publish(lg, view, clock);\n\trc = lgn_push_deltas(w);/'
mutant clock_after_push clock.c "$wrong" \
	's/(rc2 = publish\(lg, view, clock\);)/for (int i = 0; i < lg->node.n; i++) lg->show[i] = lgn_node_clock_of(lg, i);\n\t$1/'
mutant look_once clock.c 'stuck' \
	's/(int lgn_clock_advance.*?)while \(/$1if (/s'
mutant stamp_late fetch.c "$wrong" \
	's/&page->stamp, r->stamp,/&page->stamp, r->view.t->model == LAGOON_SSP ? lgn_stamp(r->stamp >> 40, atomic_load(&r->w->lg->floor)) : r->stamp,/'
mutant no_version push.c "$wrong" \
	's/(static int push_page.*?\n\})/my $f = $1; $f =~ s!atomic_fetch_add\(&page->version, 1\);!!g; $f/se'
mutant no_second_look view.c "$wrong" \
	's/if \(atomic_load_explicit\(&page->version,\s*memory_order_relaxed\) != version\)\s*continue;//s'
mutant clean_while_pushing view.c "$wrong" \
	's/lgn_page_pushing\(page\) \|\|//'
mutant no_mark_seen view.c "$wrong" \
	's/if \(t->delta\)\s*mark_seen\(t, number[^;]*;//s'
mutant release_early push_send.c "$wrong" \
	's/(int rc = )(n \? lgn_push_run\(p->t, p->counts, &p->batch\) : 0);/$1(lgn_push_release(p, 0), $2);/'
mutant no_copy_in push.c "$wrong" \
	's/lgn_table_copy_in\(t, number, i, d\);//'
mutant take_in_two push.c "$wrong" \
	's/d = atomic_exchange\(&delta\[i\], 0\);/d = atomic_load(&delta[i]); atomic_store(&delta[i], 0);/'
mutant clear_after push.c "$wrong" \
	's/(mask = all = )atomic_exchange\(&p->t->dirty\[number\], 0\);(.*?)(\n\tp->held)/$1atomic_load(&p->t->dirty[number]);$2\n\tatomic_store(&p->t->dirty[number], 0);$3/s'
mutant no_epoch clock.c "$wrong" \
	's/(static int meet.*?)atomic_fetch_add\(&lg->epoch, 1\);/$1/s'
mutant ticket_not_held fetch_add.c "$wrong" \
	's/rc = lgn_table_hold\(t, p.page\);/;/; s/lgn_page_release\(&t->page\[p.page\]\);/;/'
mutant bsp_no_end clock.c "$wrong" \
	's/rc = wait_row\(lg, LGN_ENDED, next\);/rc = 0;/'
mutant broke_untold push_run.c "$wrong" \
	's/lgn_note_broken\([^;]*;/;/' --deaths
mutant rest_not_seen push.c "$wrong" \
	's/atomic_fetch_or\(&p->t->dirty\[number\], all\);/;/' --deaths
mutant left_to_wait_for board.c 'stuck' \
	's/never_comes\(lg, view\) : 0/0 : 0/' --deaths
mutant gave_up_is_out board.c "$wrong" \
	's/!lgn_board_counts\(view, i\)/view->state[i] != LGN_LIVE/' --deaths
mutant arrived_for_ever gate.c "$wrong" \
	's/gate->arrived--;/;/' --deaths

# The processes of a node, and deaths among them.
mutant page_of_the_dead node.c 'stuck' \
	's/(void lgn_node_look.*?)heal\(t, page, hold\);/$1/s' --deaths
mutant odd_for_ever node.c 'stuck' \
	's/if \(atomic_load\(&page->version\) & 1\)\n\t\tatomic_fetch_add\(&page->version, 1\);//' --deaths
mutant untold push_run.c 'I3' \
	's/atomic_fetch_add\(&t->part\[0\]\.counts\.uncertain, n\);//' --deaths
mutant clock_of_the_dead clock.c 'stuck' \
	's/(int lgn_clock_heed.*?)!advanced\(lg\)/${1}true/s' --deaths
mutant waits_for_the_lost fetch.c 'stuck' \
	's/int rc = hopeless\(t, page, &wait\);/int rc = 0;/' --deaths
mutant left_by_giving_up clock.c "$wrong" \
	's/(\tif \(!rc2 \|\| rc2 == LAGOON_ERANGE\) \{\n)(\t\tatomic_store\(&w->ended, LGN_CLOCK_LEFT\);\n\t\tatomic_store\(w->shown, LGN_CLOCK_LEFT\);\n)/$2$1/' --deaths

echo "$found found, each within $seeds seeds"
exit $bad
