# SPDX-License-Identifier: BSD-3-Clause
# The objective of lasso, ridge and elastic net, from a model file and its
# data, by a program that shares nothing with the solver:
#
#	awk -f regression.awk -v format=libsvm|csv|matrix model data [target]
#	->	objective nonzeros
FILENAME == ARGV[1] {
	if (in_weights && $1 != "end") {
		w[++d] = $1
		nonzeros += $1 != 0
	}
	if ($1 == "l1" || $1 == "l2" || $1 == "intercept" || $1 == "standardised")
		model[$1] = $2 + 0
	if ($1 == "weights")
		in_weights = 1
	next
}
function element(i, j, x) {
	product[i] += w[j] * x
	sum[j] += x
	count[j]++
	value[j, count[j]] = x
}
format == "matrix" && /^%/ { next }
format == "matrix" && FILENAME == ARGV[2] {
	if (!sized++) {
		n = $1
		next
	}
	element($1, $2, $3)
	next
}
format == "matrix" {
	if (seen_size++)
		y[$1] = $3
	next
}
format == "csv" {
	k = split($0, e, ",")
	y[++n] = e[k]
	for (j = 1; j < k; j++)
		element(n, j, e[j] + 0)
	next
}
{
	y[++n] = $1
	for (k = 2; k <= NF; k++) {
		split($k, e, ":")
		element(n, e[1] + 0, e[2] + 0)
	}
}
END {
	for (i = 1; i <= n; i++)
		loss += (y[i] - model["intercept"] - product[i])^2
	for (j = 1; j <= d; j++) {
		scale = 1
		if (model["standardised"]) {
			mean = sum[j] / n
			squares = (n - count[j]) * mean^2
			for (k = 1; k <= count[j]; k++)
				squares += (value[j, k] - mean)^2
			scale = sqrt(squares / n)
		}
		x = w[j] * scale
		penalty += model["l1"] * (x < 0 ? -x : x) + model["l2"] / 2 * x^2
	}
	printf "%.17g %d\n", loss / (2 * n) + penalty, nonzeros
}
