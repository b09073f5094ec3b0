/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "verbs/shm/shm.h"

#define HUGE_BYTES (2u << 20)

/* A memory file of len bytes; huge pages when there are enough free ones. */
static int memory_file(uint64_t len, bool sparse, int *fd)
{
	if (!sparse && len >= HUGE_BYTES && len % HUGE_BYTES == 0) {
		int h = memfd_create("lagoon", MFD_CLOEXEC | MFD_HUGETLB);

		if (h >= 0 && !ftruncate(h, (off_t)len) &&
		    !fallocate(h, 0, 0, (off_t)len)) {
			*fd = h;
			return 0;
		}
		if (h >= 0)
			close(h);
	}
	*fd = memfd_create("lagoon", MFD_CLOEXEC);
	if (*fd < 0)
		return lgn_fail(LAGOON_EIO, "memfd_create: %s", strerror(errno));
	if (ftruncate(*fd, (off_t)len)) {
		int rc = lgn_fail(LAGOON_ENOMEM, "a memory file of %llu bytes: %s",
				  (unsigned long long)len, strerror(errno));

		close(*fd);
		return rc;
	}
	return 0;
}

/* A child made by fork() gets none of it: it could change the tables of its
 * parent's job, and would keep their memory. */
void *lgn_shm_map(uint64_t len, int protection, int flags, int fd)
{
	void *p = mmap(NULL, len, protection, flags, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, len, MADV_DONTFORK);
	return p;
}

/* Memory for this process alone: taken from the system when it is touched. */
static int private_memory(const struct lgn_mem_want *want, void **addr)
{
	void *p = lgn_shm_map(want->len, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "%llu bytes of memory: %s",
				(unsigned long long)want->len, strerror(errno));
	if (want->len >= HUGE_BYTES)
		madvise(p, want->len, MADV_HUGEPAGE);
	*addr = p;
	return 0;
}

static void bind_memory(const struct lgn_mem_want *want, void *addr)
{
	if (want->bind && want->bind(want->bind_arg, addr, want->len))
		lgn_log(LGN_WARN, "memory is not bound: %s", lagoon_errmsg());
}

/* Bound before the first touch, then allocated in full: what is promised
 * here cannot turn into a SIGBUS later. (Sparse memory is not: like private
 * memory, it was checked against the limits.) */
int lgn_shm_region_make(const struct lgn_mem_want *want, void **addr, int *fd)
{
	void *p;
	int rc;

	*fd = -1;
	if (!(want->access & LGN_ACC_REMOTE)) {
		rc = private_memory(want, addr);
		if (!rc)
			bind_memory(want, *addr);
		return rc;
	}
	rc = memory_file(want->len, want->sparse, fd);
	if (rc)
		return rc;
	p = lgn_shm_map(want->len, PROT_READ | PROT_WRITE, MAP_SHARED, *fd);
	if (!p) {
		rc = lgn_fail(LAGOON_ENOMEM, "mapping %llu bytes: %s",
			      (unsigned long long)want->len, strerror(errno));
		goto err_close;
	}
	bind_memory(want, p);
	if (want->sparse && want->len >= HUGE_BYTES)
		madvise(p, want->len, MADV_HUGEPAGE);
	if (!want->sparse && fallocate(*fd, 0, 0, (off_t)want->len)) {
		rc = lgn_fail(LAGOON_ENOMEM,
			      "%llu bytes of shared memory: %s; make the table smaller or raise the memory limit",
			      (unsigned long long)want->len, strerror(errno));
		goto err_unmap;
	}
	*addr = p;
	return 0;

err_unmap:
	munmap(p, want->len);
err_close:
	close(*fd);
	*fd = -1;
	return rc;
}

void lgn_shm_region_drop(void *addr, uint64_t len)
{
	munmap(addr, len);
}
