# SPDX-License-Identifier: BSD-3-Clause
# The objective of a linear classifier, from a model file and its LIBSVM data, by
# a program that shares nothing with the solver:
#
#	awk -f linear.awk model data	->	objective accuracy
FNR == NR && in_weights && $1 != "end" {
	n++
	for (k = 1; k <= outputs; k++) {
		w[n, k] = $k
		penalty += model["l2"] / 2 * $k^2 + model["l1"] * ($k < 0 ? -$k : $k)
	}
	next
}
FNR == NR && $1 == "labels" {
	for (k = 2; k <= NF; k++)
		label[k - 1] = $k + 0
}
FNR == NR && $1 == "weights" {
	in_weights = 1
	outputs = model["outputs"] ? model["outputs"] : 1
	loss = model["solver"] == "svm" ? model["loss"] : model["solver"]
}
FNR == NR { model[$1] = $2; next }
function value(m) {
	if (loss == "logistic")
		return m > 0 ? log(1 + exp(-m)) : log(1 + exp(m)) - m
	m = m < 1 ? 1 - m : 0
	return loss == "hinge" ? m : m * m
}
function softmax(   k, own, sum) {
	for (k = 1; k <= outputs; k++) {
		sum += exp(z[k] - z[best])
		if ($1 + 0 == label[k])
			own = k
	}
	return log(sum) + z[best] - z[own]
}
{
	for (k = 1; k <= outputs; k++)
		z[k] = 0
	for (i = 2; i <= NF; i++) {
		split($i, e, ":")
		for (k = 1; k <= outputs; k++)
			z[k] += w[e[1], k] * e[2]
	}
	best = 1
	for (k = 2; k <= outputs; k++)
		if (z[k] > z[best])
			best = k
	said = outputs > 1 ? label[best] : z[1] > 0 ? label[2] : label[1]
	right += said == $1 + 0
	sum += loss == "softmax" ? softmax() : value($1 + 0 == label[2] ? z[1] : -z[1])
	rows++
}
END { printf "%.12g %.6f\n", penalty + model["c"] * sum, right / rows }
