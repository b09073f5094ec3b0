/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every environment variable that Lagoon reads: name without LAGOON_, kind,
 * default, one line of help. `lagoon info --env` prints this table.
 * Kinds: INT, CHOICE (the help ends with the choices), TEXT.
 */
LGN_ENV(LOG, CHOICE, "error", "how much is said on stderr: error|warn|info|debug")
LGN_ENV(WORKERS, INT, "1", "worker threads of a process [0..1024]")
LGN_ENV(NODES, INT, "0", "pretend this many nodes on one machine; 0: the real ones [0..1024]")
LGN_ENV(ON_DEATH, CHOICE, "stop", "when a process of the job dies: stop|continue")
LGN_ENV(TIMEOUT, INT, "30", "give up on a communication without progress [s, 1..86400]")
LGN_ENV(WIRE, CHOICE, "auto", "how processes reach each other: auto|shm|rc")
LGN_ENV(SEED, INT, "1", "seed of stochastic rounding [0..2^63-1]")
LGN_ENV(BIND, CHOICE, "yes", "pin workers to cores and shards to NUMA nodes: yes|no")
LGN_ENV(SYNTHETIC, TEXT, "", "plan placement on this hwloc synthetic topology, bind nothing")
