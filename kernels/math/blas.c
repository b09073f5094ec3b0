/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dense matrices by the system's BLAS and LAPACK. The library is not linked but
 * loaded at the first need: a threaded one starts its threads when it is loaded,
 * in every process, and most programs of ours never call it. A BLAS that the
 * program itself is linked with goes first, so that there are not two.
 *
 * Each call runs on its caller's thread alone, since workers are as many as
 * there are cores. Where the BLAS has its number of threads for the whole
 * process, the first call that goes in sets it to 1 and the last one that comes
 * out sets it back.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/math/calls.h"
#include "kernels/math/factor.h"
#include "runtime/base/attr.h"

#ifndef LGN_BLAS
#define LGN_BLAS ""
#endif

/* Integers are by reference, and small: of 64 bits with little ends they do for
 * a BLAS of 32-bit integers and for one of 64. Lengths of texts come last. */
#define GEMM(REAL) \
	void (*)(const char *ta, const char *tb, const int64_t *m, \
		 const int64_t *n, const int64_t *k, const REAL *alpha, \
		 const REAL *a, const int64_t *lda, const REAL *b, \
		 const int64_t *ldb, const REAL *beta, REAL *c, \
		 const int64_t *ldc, size_t, size_t)
#define POTRF(REAL) \
	void (*)(const char *uplo, const int64_t *n, REAL *a, \
		 const int64_t *lda, int64_t *info, size_t)
#define POTRS(REAL) \
	void (*)(const char *uplo, const int64_t *n, const int64_t *nrhs, \
		 const REAL *a, const int64_t *lda, REAL *b, \
		 const int64_t *ldb, int64_t *info, size_t)

#define GELQF \
	void (*)(const int64_t *m, const int64_t *n, double *a, \
		 const int64_t *lda, double *tau, double *work, \
		 const int64_t *lwork, int64_t *info)
#define ORGLQ \
	void (*)(const int64_t *m, const int64_t *n, const int64_t *k, \
		 double *a, const int64_t *lda, const double *tau, \
		 double *work, const int64_t *lwork, int64_t *info)
#define GESDD \
	void (*)(const char *jobz, const int64_t *m, const int64_t *n, \
		 double *a, const int64_t *lda, double *s, double *u, \
		 const int64_t *ldu, double *vt, const int64_t *ldvt, \
		 double *work, const int64_t *lwork, void *iwork, \
		 int64_t *info, size_t)

/* From REQUIRED on: what there are loops for, so that one may be missing. */
enum {
	DGEMM, SGEMM, DPOTRF, SPOTRF, DPOTRS, SPOTRS, REQUIRED,
	DGELQF = REQUIRED, DORGLQ, DGESDD, SYMBOLS
};

static const char *const symbol_names[SYMBOLS] = {
	"dgemm_", "sgemm_", "dpotrf_", "spotrf_", "dpotrs_", "spotrs_",
	"dgelqf_", "dorglq_", "dgesdd_"
};

static struct {
	pthread_once_t once;
	const char *name;		/* "none" if it is not there */
	void *symbol[SYMBOLS];
	void (*set_threads)(int n);	/* of the process, or NULL */
	int (*threads)(void);
	int (*set_local)(int n);	/* of the thread (MKL), or NULL */
	int (*omp_threads)(void);
	void (*set_omp_threads)(int n);
	int off;			/* lagoon_blas_use(0) */
	pthread_mutex_t lock;
	int inside;
	int before;
} blas = { .once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER };

/* In the libraries that are open: the program's own, or ours. */
static void *look(void *const *library, const char *name)
{
	void *symbol = NULL;

	for (; *library && !symbol; library++)
		symbol = dlsym(*library, name);
	return symbol;
}

/* A pointer to a function from one to data, which only POSIX lets be. */
static void take(void *const *library, const char *name, void *to)
{
	void *symbol = look(library, name);

	memcpy(to, &symbol, sizeof(symbol));
}

static int take_all(void *const *library)
{
	static const char *const counts[][2] = {
		{ "openblas_set_num_threads", "openblas_get_num_threads" },
		{ "flexiblas_set_num_threads", "flexiblas_get_num_threads" },
		{ "bli_thread_set_num_threads", "bli_thread_get_num_threads" },
	};

	for (int i = 0; i < SYMBOLS; i++) {
		blas.symbol[i] = look(library, symbol_names[i]);
		if (!blas.symbol[i] && i < REQUIRED)
			return 0;
	}
	for (size_t i = 0; i < LGN_COUNT(counts) && !blas.set_threads; i++) {
		take(library, counts[i][0], &blas.set_threads);
		take(library, counts[i][1], &blas.threads);
		if (!blas.threads)
			blas.set_threads = NULL;
	}
	take(library, "MKL_Set_Num_Threads_Local", &blas.set_local);
	return 1;
}

/* LGN_BLAS: names of libraries with blanks between them. */
static void find(void)
{
	static char names[] = LGN_BLAS;
	void *program[] = { dlopen(NULL, RTLD_LAZY), NULL }, *library[8];
	char *rest = names, *name;
	int n = 0;

	blas.name = "program";
	if (take_all(program))
		goto out;
	blas.name = "none";
	while (n < 7 && (name = strsep(&rest, " ")))
		if (*name && (library[n] = dlopen(name, RTLD_LAZY)))
			n++;
	library[n] = NULL;
	if (n && take_all(library))
		blas.name = LGN_BLAS;
out:
	take(program, "omp_get_max_threads", &blas.omp_threads);
	take(program, "omp_set_num_threads", &blas.set_omp_threads);
}

static int usable(void)
{
	pthread_once(&blas.once, find);
	return !blas.off && strcmp(blas.name, "none") != 0;
}

/* Some set OpenMP's number of the calling thread with their own. */
static void set_threads(int n)
{
	int omp = blas.omp_threads && blas.set_omp_threads ?
		blas.omp_threads() : 0;

	blas.set_threads(n);
	if (omp)
		blas.set_omp_threads(omp);
}

/* Returns what leave() needs. */
static int enter(void)
{
	if (blas.set_local)
		return blas.set_local(1);
	if (!blas.set_threads)
		return 0;
	pthread_mutex_lock(&blas.lock);
	if (blas.inside++ == 0) {
		blas.before = blas.threads();
		if (blas.before != 1)
			set_threads(1);
	}
	pthread_mutex_unlock(&blas.lock);
	return 0;
}

static void leave(int local)
{
	if (blas.set_local)
		blas.set_local(local);
	if (blas.set_local || !blas.set_threads)
		return;
	pthread_mutex_lock(&blas.lock);
	if (--blas.inside == 0 && blas.before != 1)
		set_threads(blas.before);
	pthread_mutex_unlock(&blas.lock);
}

/* What a BLAS counts in its integers; and worth a call of it. */
static int fits(size_t a, size_t b, size_t c)
{
	return a <= INT_MAX && b <= INT_MAX && c <= INT_MAX && a && b && c;
}

static int worth(double steps, double least)
{
	return steps >= least && usable();
}

LGN_EXPORT const char *lagoon_blas(void)
{
	return usable() ? blas.name : "none";
}

LGN_EXPORT int lagoon_blas_use(int use)
{
	blas.off = !use;
	return usable();
}

/* Where the loops of our own are as fast but for what a call of a BLAS costs, and
 * where they keep the sums in registers. */
enum { LEAST = 4096, LEAST_TILES = 65536 };

#define REAL double
#define NAME(x) x
#define SYMBOL(x) D##x
#include "kernels/math/blas.inc"
#undef REAL
#undef NAME
#undef SYMBOL

#define REAL float
#define NAME(x) x##_f32
#define SYMBOL(x) S##x
#include "kernels/math/blas.inc"

/* ------------------------------------------------------------ factors */

/* What is A by rows is A' by columns, and A' = R' Q' is made by LQ. */
static int64_t run_qr(const int64_t *m, const int64_t *n, double *a,
		      const int64_t *lda, double *tau, double *r,
		      size_t r_stride, double *work, const int64_t *lwork)
{
	int64_t info = 0;

	((GELQF)blas.symbol[DGELQF])(m, n, a, lda, tau, work, lwork, &info);
	for (int64_t k = 0; k < *m && !info; k++)
		for (int64_t j = 0; j < *m; j++)
			r[(size_t)k * r_stride + (size_t)j] =
				j < k ? 0 : a[k * *lda + j];
	if (!info)
		((ORGLQ)blas.symbol[DORGLQ])(m, n, m, a, lda, tau, work, lwork,
					     &info);
	return info;
}

int lgn_blas_qr(size_t rows, size_t cols, double *a, size_t stride, double *r,
		size_t r_stride)
{
	const int64_t m = (int64_t)cols, n = (int64_t)rows;
	const int64_t lda = (int64_t)stride, lwork = 64 * m;
	double *work;
	int64_t info;
	int local;

	if (!fits(rows, stride, 64 * cols) ||
	    !worth((double)rows * (double)cols * (double)cols, LEAST) ||
	    !blas.symbol[DGELQF] || !blas.symbol[DORGLQ])
		return 1;
	work = malloc((size_t)(lwork + m) * sizeof(*work));
	if (!work)
		return -1;
	local = enter();
	info = run_qr(&m, &n, a, &lda, work + lwork, r, r_stride, work, &lwork);
	leave(local);
	free(work);
	return info ? -1 : 0;
}

/* A' = V S U': what is U of it by columns is V' by rows, and U the same. The
 * work is as dgesdd's manual has it, for job S and m not above n. */
int lgn_blas_svd(size_t rows, size_t cols, const double *a, size_t stride,
		 double *s, double *u, size_t u_stride, double *vt,
		 size_t vt_stride)
{
	const int64_t m = (int64_t)cols, n = (int64_t)rows;
	const int64_t ldu = (int64_t)u_stride, ldv = (int64_t)vt_stride;
	const int64_t lwork = 4 * m * m + 80 * m + 64 * n;
	double *copy, *work;
	int64_t info = 0, *iwork;
	int local;

	if (!fits(rows, u_stride, vt_stride) || !fits((size_t)lwork, 1, 1) ||
	    !worth((double)rows * (double)cols * (double)cols, LEAST) ||
	    !blas.symbol[DGESDD])
		return 1;
	copy = malloc((rows * cols + (size_t)lwork) * sizeof(*copy));
	iwork = malloc(8 * cols * sizeof(*iwork));
	if (!copy || !iwork) {
		free(copy);
		free(iwork);
		return -1;
	}
	work = copy + rows * cols;
	for (size_t i = 0; i < rows; i++)
		memcpy(copy + i * cols, a + i * stride, cols * sizeof(*copy));
	local = enter();
	((GESDD)blas.symbol[DGESDD])("S", &m, &n, copy, &m, s, vt, &ldv, u,
				     &ldu, work, &lwork, iwork, &info, 1);
	leave(local);
	free(copy);
	free(iwork);
	return info ? 1 : 0;
}
