/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernels/solve/saved.h"
#include "runtime/base/status.h"

int lgn_saving_check(const struct lgn_saving *o)
{
	if (!o->every || o->checkpoint)
		return 0;
	return lgn_fail(LAGOON_EINVAL, "every is %llu: expected a folder for "
			"checkpoints", (unsigned long long)o->every);
}

int lgn_saving_is_interrupted(const struct lgn_saving *o)
{
	return o->checkpoint && o->interrupted && o->interrupted(o->arg);
}

bool lgn_saving_is_due(const struct lgn_saving *o, int epoch, int interrupted)
{
	return o->checkpoint &&
		(interrupted || (o->every && (uint64_t)epoch % o->every == 0));
}

int lgn_saved_check(const char *dir, const struct lgn_saved_data *was,
		    const struct lgn_saved_data *here, int epoch, int most)
{
	if (was->rows != here->rows || was->entries != here->entries ||
	    was->features != here->features || was->classes != here->classes)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint of other data: "
				"of %llu rows with %llu entries, here are %llu "
				"with %llu", dir, (unsigned long long)was->rows,
				(unsigned long long)was->entries,
				(unsigned long long)here->rows,
				(unsigned long long)here->entries);
	if (epoch > most)
		return lgn_fail(LAGOON_EINVAL, "%s: a checkpoint after %d "
				"epochs: expected %d at most", dir, epoch, most);
	return 0;
}

int lgn_saved_restore(struct lagoon *lg, const char *dir, const char *name,
		      void *state, size_t *bytes, struct lagoon_table **table)
{
	int rc = lagoon_restore(lg, dir, state, bytes);

	*table = NULL;
	if (!rc && lagoon_table_attach(lg, name, table))
		*table = NULL;
	return rc;
}
