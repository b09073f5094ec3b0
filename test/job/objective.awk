# SPDX-License-Identifier: BSD-3-Clause
# The objective of L2-logistic regression, from a model file and its data, by
# a program that shares nothing with the solver:
#
#	awk -f objective.awk model data	->	objective accuracy
FNR == NR && in_weights && $1 != "end" { w[n++] = $1; next }
FNR == NR && $1 == "c" { c = $2 }
FNR == NR && $1 == "labels" { minus = $2 + 0; plus = $3 + 0 }
FNR == NR && $1 == "weights" { in_weights = 1 }
FNR == NR { next }
{
	sub(/#.*/, "")
	if (NF == 0)
		next
	m = 0
	for (i = 2; i <= NF; i++) {
		split($i, e, ":")
		if (e[1] != "qid")
			m += w[e[1] - 1] * e[2]
	}
	y = $1 + 0 == plus ? 1 : -1
	right += (m > 0) == (y > 0)
	m *= y
	loss += m > 0 ? log(1 + exp(-m)) : log(1 + exp(m)) - m
	rows++
}
END {
	for (j = 0; j < n; j++)
		squares += w[j] * w[j]
	printf "%.10f %.6f\n", 0.5 * squares + c * loss, right / rows
}
