/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "kernels/data/outfile.h"
#include "kernels/lagoon_svd.h"
#include "runtime/base/attr.h"
#include "runtime/base/status.h"

LGN_EXPORT int lagoon_svd_save(const char *path, uint64_t rows, uint64_t cols,
			       const double *a)
{
	struct lgn_outfile out;
	int rc;

	for (uint64_t i = 0; i < rows * cols; i++)
		if (!isfinite(a[i]))
			return lgn_fail(LAGOON_EINVAL, "%s: row %llu: column "
					"%llu is %g: expected a finite number",
					path, (unsigned long long)(i % rows + 1),
					(unsigned long long)(i / rows + 1), a[i]);
	rc = lgn_outfile_open(path, &out);
	if (rc)
		return rc;
	fprintf(out.stream, "%%%%MatrixMarket matrix array real general\n"
		"%llu %llu\n", (unsigned long long)rows,
		(unsigned long long)cols);
	for (uint64_t i = 0; i < rows * cols; i++)
		fprintf(out.stream, "%.17g\n", a[i]);
	return lgn_outfile_commit(&out);	/* tells of failed writes too */
}
