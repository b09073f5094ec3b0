# SPDX-License-Identifier: BSD-3-Clause
# What a model says to LIBSVM rows, from the texts of both alone:
#	awk -f predict.awk MODEL ROWS
# prints for each row the label or value, and the products.
FNR == 1 { file++ }
file == 1 && !weights {
	if ($1 == "solver") solver = $2
	if ($1 == "intercept") intercept = $2
	if ($1 == "outputs") outputs = $2
	if ($1 == "labels") for (k = 2; k <= NF; k++) label[k - 1] = $k
	if ($1 == "weights") { weights = 1; if (!outputs) outputs = 1 }
	next
}
file == 1 {
	if ($1 == "end") next
	j++
	for (k = 1; k <= outputs; k++) w[j, k] = $k
	next
}
/^#/ || NF == 0 { next }
{
	line = ""
	best = 1
	for (k = 1; k <= outputs; k++) {
		z[k] = outputs == 1 ? intercept + 0 : 0
		for (i = 2; i <= NF; i++) {
			split($i, entry, ":")
			z[k] += w[entry[1], k] * entry[2]
		}
		if (z[k] > z[best]) best = k
		line = line sprintf(" %.17g", z[k])
	}
	if (solver == "lasso" || solver == "ridge" || solver == "elastic-net")
		value = sprintf("%.17g", z[1])
	else
		value = outputs == 1 ? label[1 + (z[1] > 0)] : label[best]
	print value line
}
