/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/data/outfile.h"
#include "runtime/base/status.h"

/* err 0: a stream failed earlier and its reason is gone. */
static int fail_write(const char *path, int err)
{
	return lgn_fail(LAGOON_EIO, "%s: cannot write: %s", path,
			err ? strerror(err) : "is there room on the disk?");
}

/* Length of "dir/" in path; 0 without a directory. */
static size_t directory_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The final rename() would find these only after all the work. */
static int check_target(const char *path)
{
	struct stat st;

	if (!*path || path[strlen(path) - 1] == '/')
		return fail_write(path, EISDIR);
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return lgn_fail(LAGOON_EIO, "%s: cannot write: it is there and "
				"not a plain file", path);
	return 0;
}

static int open_unnamed(const struct lgn_outfile *out)
{
	char dir[PATH_MAX];
	size_t len = directory_len(out->path);

	snprintf(dir, sizeof(dir), "%.*s.", (int)len, out->path);
	return open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
}

int lgn_outfile_open(const char *path, struct lgn_outfile *out)
{
	size_t len = directory_len(path);
	int fd, rc = check_target(path);

	if (rc)
		return rc;
	out->path = path;
	out->named = 0;
	if ((size_t)snprintf(out->temp, sizeof(out->temp), "%.*s.%s.%ld",
			     (int)len, path, path + len,
			     (long)getpid()) >= sizeof(out->temp))
		return fail_write(path, ENAMETOOLONG);
	fd = open_unnamed(out);
	if (fd < 0) {
		fd = open(out->temp, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC,
			  0666);
		out->named = fd >= 0;
	}
	if (fd < 0)
		return fail_write(path, errno);
	out->stream = fdopen(fd, "w");
	if (!out->stream) {
		close(fd);
		return lgn_fail(LAGOON_ENOMEM, "%s: no memory for a stream",
				path);
	}
	return 0;
}

static int give_name(struct lgn_outfile *out)
{
	char self[64];

	if (out->named)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fileno(out->stream));
	unlink(out->temp);
	if (linkat(AT_FDCWD, self, AT_FDCWD, out->temp, AT_SYMLINK_FOLLOW))
		return errno;
	out->named = 1;
	return 0;
}

int lgn_outfile_commit(struct lgn_outfile *out)
{
	int err = 0, failed;

	errno = 0;
	failed = fflush(out->stream) || ferror(out->stream) ||
		 fsync(fileno(out->stream));
	if (failed)
		err = errno;
	else
		failed = err = give_name(out);
	if (!failed && rename(out->temp, out->path))
		failed = err = errno;
	if (!failed)
		out->named = 0;
	lgn_outfile_abort(out);
	return failed ? fail_write(out->path, err) : 0;
}

void lgn_outfile_abort(struct lgn_outfile *out)
{
	if (out->named)
		unlink(out->temp);
	fclose(out->stream);
	out->stream = NULL;
}
