/* launch: -n 1 -- --workers 4 */
/* launch: -n 2 --nodes 1 -- --workers 1,2 */
/* launch: -n 2 --nodes 2 -- --workers 1 */
/* launch: -n 4 --nodes 2 */
/* launch: -n 2 --nodes 2 -- --workers 4 */
/* launch: -n 3 --nodes 3 -- --workers 2,1,3 */
/* launch: -n 4 --nodes 4 -- --workers 2 */
/* launch: -n 8 --nodes 4 */
/* launch: -n 2 --nodes 1 -- --workers 2 --check --seconds 2 */
/* launch: -n 4 --nodes 2 -- --workers 1,2 --check --seconds 2 */
/* SPDX-License-Identifier: BSD-3-Clause */
/* I1 to I4 and I6 over random schedules: see test/support/property.h. */
#include "test/support/property.h"

int main(int argc, char **argv)
{
	return pr_main(argc, argv, lagoon_open);
}
