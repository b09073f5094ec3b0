/* SPDX-License-Identifier: BSD-3-Clause */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/base/status.h"
#include "runtime/update.h"
#include "runtime/update/object.h"

/* Of the bytes of a file, so that copies on several nodes agree wherever they
 * are, and an old one that was left on a node does not. */
static int digest_of(const char *file, const char *who, uint64_t *content)
{
	unsigned char part[4096];
	XXH64_state_t state;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return lgn_fail(errno == ENOENT ? LAGOON_ENOENT : LAGOON_EIO,
				"update function %s: open: %s", who,
				strerror(errno));
	XXH64_reset(&state, 0);
	while ((got = read(fd, part, sizeof(part))) > 0 ||
	       (got < 0 && errno == EINTR))
		if (got > 0)
			XXH64_update(&state, part, (size_t)got);
	if (got < 0) {
		lgn_fail(LAGOON_EIO, "update function %s: read: %s", who,
			 strerror(errno));
		close(fd);
		return LAGOON_EIO;
	}
	close(fd);
	*content = XXH64_digest(&state);
	return 0;
}

/* A symbol that is not data, or too short to be read at all, is never looked
 * into. room: its bytes. */
static int find(void *object, const char *symbol, const char *who,
		const struct lagoon_update **fn, size_t *room)
{
	void *address = dlsym(object, symbol);
	const ElfW(Sym) *entry = NULL;
	Dl_info info;

	if (!address)
		return lgn_fail(LAGOON_ENOENT,
				"update function %s: the file has no symbol %s",
				who, symbol);
	if (!dladdr1(address, &info, (void **)&entry, RTLD_DL_SYMENT) || !entry ||
	    ELF64_ST_TYPE(entry->st_info) != STT_OBJECT)
		return lgn_fail(LAGOON_ENOTSUP,
				"update function %s: %s is not a variable; it has to be a struct lagoon_update",
				who, symbol);
	*room = entry->st_size;
	*fn = address;
	return 0;
}

int lgn_update_load(const char *name, const char *who, int type, void **object,
		    const struct lagoon_update **fn, uint64_t *content)
{
	char file[LGN_UPDATE_TEXT_MAX + 1];
	char *symbol;
	void *loaded;
	size_t room = 0;
	int rc;

	strcpy(file, name);
	symbol = strrchr(file, ':');
	if (!symbol || !symbol[1] || symbol == file)
		return lgn_fail(LAGOON_EINVAL,
				"update function %s: expected FILE.so:SYMBOL", who);
	*symbol++ = 0;
	if (file[0] != '/' && strncmp(file, "./", 2) && strncmp(file, "../", 3))
		return lgn_fail(LAGOON_EINVAL,
				"update function %s: the file is not searched for: write ./FILE.so or an absolute path",
				who);
	rc = digest_of(file, who, content);
	if (rc)
		return rc;
	loaded = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!loaded)
		return lgn_fail(LAGOON_ENOTSUP, "update function %s: %s", who,
				dlerror());
	rc = find(loaded, symbol, who, fn, &room);
	if (!rc)
		rc = lgn_update_check(who, type, *fn, room);
	if (rc)
		dlclose(loaded);
	else
		*object = loaded;
	return rc;
}
