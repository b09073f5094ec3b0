# SPDX-License-Identifier: BSD-3-Clause
# Samples of peer.c to Markdown on standard output, CSV (of -v csv=) and data
# for plots (-v bars=). Times are of one operation; medians over the samples
# of all rounds; a ratio is the median of the samples' own: twin / peer, both
# taken within milliseconds of each other.

/^sample / {
	if (!(($2, $3) in n)) {
		if (!($2 in row)) { row[$2] = ++rows; rowname[rows] = $2 }
		if (!($3 in peer)) { peer[$3] = ++peers; peername[peers] = $3 }
	}
	i = ++n[$2, $3]
	ours = $7 / $6 / $5 * 1e6
	twin = $9 / $8 / $5 * 1e6
	t[$2, $3, i] = ours
	u[$2, $3, i] = twin
	q[$2, $3, i] = twin / ours
	p[$2, $3, i] = $10
	bytes[$2] = $4
	calls[$2, $3] += $6 * $5
	all[$2, ++alls[$2]] = twin
}

# Sorts v[1..m].
function sort(v, m,    i, j, x) {
	for (i = 2; i <= m; i++) {
		x = v[i]
		for (j = i - 1; j > 0 && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
}

# The sorted samples of a row and peer to v; returns their number.
function pick(from, r, k, v,    i, m) {
	m = n[r, k]
	for (i = 1; i <= m; i++)
		v[i] = from[r, k, i]
	sort(v, m)
	return m
}

function at(v, m, percent,    i) {
	i = int(m * percent / 100 + 0.999999)
	return v[i < 1 ? 1 : i]
}

function round3(x) {
	return sprintf(x >= 99.95 ? "%.0f" : x >= 9.995 ? "%.1f" : "%.2f", x)
}

# us of one operation as the row's unit has it.
function shown(r, us) {
	if (kind[r] == "rate")
		return round3(1 / us)
	if (kind[r] == "bandwidth")
		return round3(bytes[r] / us / 1e3)
	return round3(us * 1e3)
}

function describe() {
	text["get-8"] = "S1 pull 8 B, 64 k elements [ns]"
	text["get-8-random"] = "S1 pull 8 B, random in 10 M [ns]"
	text["add-8"] = "S2 add 8 B, 64 k elements [ns]"
	text["add-8-random"] = "S2 add 8 B, random in 10 M [ns]"
	text["sparse-add"] = "S3 add to 10 k rows of 10 M, one batch [M/s]"
	text["sparse-get"] = "S4 pull 10 k rows of 10 M, one batch [M/s]"
	text["sparse-add-2"] = "S5 the same as S3 by two processes [M/s]"
	text["dense-add"] = "S6 dense add of 1 M reals [M/s]"
	text["get-64k"] = "S7 pull 64 KiB [GB/s]"
	text["get-16m"] = "S7 pull 16 MiB [GB/s]"
	text["one-key"] = "S8 pull and push one key of 10 M [ns]"
	kind["sparse-add"] = kind["sparse-get"] = kind["sparse-add-2"] = "rate"
	kind["dense-add"] = "rate"
	kind["get-64k"] = kind["get-16m"] = "bandwidth"
}

function is_lagoon(k) { return k ~ /^lagoon/ }

END {
	if (!rows) {
		print "table.awk: no samples" >"/dev/stderr"
		exit 1
	}
	describe()
	print "test,wire,bytes,iterations,min_us,p50_us,p90_us,p99_us,max_us,ops_per_s,bytes_per_s,twin,ratio" >csv
	for (a = 1; a <= rows; a++) {
		r = rowname[a]
		for (b = 1; b <= peers; b++) {
			k = peername[b]
			if (!((r, k) in n))
				continue
			m = pick(t, r, k, v)
			mid[r, k] = at(v, m, 50)
			low[r, k] = v[1]
			high[r, k] = v[m]
			printf "%s,%s,%d,%d,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,", r, k, bytes[r],
				calls[r, k], v[1], mid[r, k], at(v, m, 90), at(v, m, 99), v[m],
				1e6 / mid[r, k], bytes[r] * 1e6 / mid[r, k] >csv
			pick(u, r, k, v)
			twin = at(v, m, 50)
			pick(q, r, k, v)
			ratio[r, k] = at(v, m, 50)
			printf "%.6g,%.4g\n", twin, ratio[r, k] >csv
			if (!is_lagoon(k) && (!(r in best) || mid[r, k] < mid[r, best[r]]))
				best[r] = k
			if (!is_lagoon(k) && (!(r in bestlow) || low[r, k] < bestlow[r]))
				bestlow[r] = low[r, k]
			if (is_lagoon(k) && (!(r in mine) || mid[r, k] < mid[r, mine[r]]))
				mine[r] = k
		}
		for (i = 1; i <= alls[r]; i++)
			v[i] = all[r, i]
		sort(v, alls[r])
		twins[r] = at(v, alls[r], 50)
		low10[r] = at(v, alls[r], 10)
		twinlow[r] = v[1]
		twinhigh[r] = v[alls[r]]
	}
	markdown()
	plots()
}

function cell(r, k) {
	if (!((r, k) in n))
		return "-"
	# The larger rate belongs to the smaller time.
	if (kind[r])
		return sprintf("%s [%s-%s]", shown(r, mid[r, k]), shown(r, high[r, k]), shown(r, low[r, k]))
	return sprintf("%s [%s-%s]", shown(r, mid[r, k]), shown(r, low[r, k]), shown(r, high[r, k]))
}

function markdown(    a, b, k, r, line, i, m, x) {
	printf "%s, %s cores; `make bench-peers` (%d rounds); medians [min-max] of", cpu, cores, rounds
	printf " %d to %d samples.\n\n", least(), most()
	printf "| work | twin |"
	for (b = 1; b <= peers; b++)
		printf " %s |", peername[b]
	print " lagoon to twin | lagoon to the best peer | by the best samples |"
	printf "|---|---|"
	for (b = 1; b <= peers; b++)
		printf "---|"
	print "---|---|---|"
	for (a = 1; a <= rows; a++) {
		r = rowname[a]
		printf "| %s | %s [%s-%s] |", text[r], shown(r, twins[r]),
			shown(r, kind[r] ? twinhigh[r] : twinlow[r]), shown(r, kind[r] ? twinlow[r] : twinhigh[r])
		for (b = 1; b <= peers; b++)
			printf " %s |", cell(r, peername[b])
		k = ("lagoon" in peer) && ((r, "lagoon") in n) ? "lagoon" : mine[r]
		if (!k) {
			print " - | - | - |"
			continue
		}
		printf " %s |", round3(ratio[r, k])
		if (r in best) {
			x = mid[r, best[r]] / mid[r, k]
			printf " %s%s (%s) | %s |\n", round3(x), x < 1 ? " behind" : "", best[r],
				round3(bestlow[r] / low[r, k])
		} else {
			print " - | - |"
		}
	}
	m = 0
	for (a = 1; a <= rows; a++)
		for (b = 1; b <= peers; b++)
			for (i = 1; i <= n[rowname[a], peername[b]]; i++)
				v[++m] = p[rowname[a], peername[b], i]
	sort(v, m)
	printf "\nA ratio above 1 is in Lagoon's favour. Cache-line ping-pong between the two processes,"
	printf " taken before every sample: median %.0f ns, 10 %% below %.0f, 10 %% above %.0f;", at(v, m, 50), at(v, m, 10), at(v, m, 90)
	for (b = 1; b <= peers; b++)
		if (("sparse-add-2", peername[b]) in n) {
			m = pick(p, "sparse-add-2", peername[b], v)
			line = line sprintf("%s %s %.0f", line ? "," : "", peername[b], at(v, m, 50))
		}
	print " in the row of two processes" line "."
	for (a = 1; a <= rows; a++)
		if (twins[rowname[a]] > 1.5 * low10[rowname[a]])
			noisy = noisy (noisy ? ", " : "") rowname[a]
	if (noisy)
		notes_text = "\n- The machine was busy: in these rows the twin itself took more than 1.5 times as long in the median as in its best tenth: " noisy "."
	while ((getline x <notes) > 0)
		if (!seen[x]++)
			notes_text = notes_text "\n- " x
	if (notes_text)
		print notes_text
}

function least(    a, b, x) {
	for (a = 1; a <= rows; a++)
		for (b = 1; b <= peers; b++)
			if (((rowname[a], peername[b]) in n) && (!x || n[rowname[a], peername[b]] < x))
				x = n[rowname[a], peername[b]]
	return x
}

function most(    a, b, x) {
	for (a = 1; a <= rows; a++)
		for (b = 1; b <= peers; b++)
			if (((rowname[a], peername[b]) in n) && n[rowname[a], peername[b]] > x)
				x = n[rowname[a], peername[b]]
	return x
}

# A line a row: its name, then each peer's ratio to the twin.
function plots(    a, b) {
	printf "row" >bars
	for (b = 1; b <= peers; b++)
		printf " %s", peername[b] >bars
	printf "\n" >bars
	for (a = 1; a <= rows; a++) {
		printf "%s", rowname[a] >bars
		for (b = 1; b <= peers; b++)
			if ((rowname[a], peername[b]) in n)
				printf " %.4g", ratio[rowname[a], peername[b]] >bars
			else
				printf " NaN" >bars
		printf "\n" >bars
	}
}
