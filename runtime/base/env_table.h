/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every environment variable that Lagoon reads: name without LAGOON_, kind,
 * default, one line of help. `lagoon info --env` prints this table.
 * Kinds: INT(least, most), CHOICE(what can be chosen), TEXT. An INT or CHOICE
 * that is set to anything else is refused by lagoon_open(), used or not. The
 * manual lagoon(7) says the same; test/check/man.sh compares.
 */
LGN_ENV(LOG, CHOICE("error|warn|info|debug"), "error", "how much is said on stderr")
LGN_ENV(WORKERS, INT(0, 1024), "1", "worker threads of a process")
LGN_ENV(NODES, INT(0, 1024), "0", "pretend this many nodes on one machine; 0: the real ones")
LGN_ENV(ON_DEATH, CHOICE("stop|continue"), "stop", "when a process of the job dies")
LGN_ENV(TIMEOUT, INT(1, 86400), "30", "give up on a communication without progress; seconds")
LGN_ENV(WIRE, CHOICE("auto|shm|rc"), "auto", "how processes reach each other")
LGN_ENV(SEED, INT(0, INT64_MAX), "1", "seed of stochastic rounding")
LGN_ENV(BIND, CHOICE("yes|no"), "yes", "pin workers to cores and shards to NUMA nodes")
LGN_ENV(SYNTHETIC, TEXT, "", "plan placement on this hwloc synthetic topology, bind nothing")
LGN_ENV(DEVICE, TEXT, "", "RDMA device and port, as in mlx5_0 or mlx5_0:2; empty: an active one near the shard")
LGN_ENV(INTERFACE, TEXT, "", "network interface for connecting; empty: the RDMA device's own address, else one of this host")
LGN_ENV(CONNECT, CHOICE("auto|cm|tcp"), "auto", "how queue pairs are connected; auto: librdmacm where the device has an IP address")
LGN_ENV(GID_INDEX, INT(-1, 255), "-1", "GID of the port; -1: 0 for InfiniBand, RoCE v2 with an IPv4 address for Ethernet")
LGN_ENV(QPS, INT(1, 16), "1", "queue pairs to each peer; more than 1 costs READ rate at many peers")
LGN_ENV(MTU, CHOICE("0|256|512|1024|2048|4096"), "0", "largest path MTU in bytes; 0 is that of the port; the smaller of both sides holds")
LGN_ENV(ACK_TIMEOUT, INT(1, 31), "14", "local ACK timeout, 4.096 us x 2^N; 14 is 67 ms, so that a dead peer is noticed within seconds; 0 would be for ever")
LGN_ENV(RETRY, INT(0, 7), "7", "how often a request without an answer is sent again before the peer counts as lost; 7 is the most")
LGN_ENV(RNR_RETRY, INT(0, 6), "6", "how often a request to a peer that is not ready is sent again; 7 would be for ever")
LGN_ENV(PKEY_INDEX, INT(0, 65535), "0", "partition key of the port; 0 is the default partition")
LGN_ENV(SL, INT(0, 15), "0", "InfiniBand service level; 0 unless the subnet manager says otherwise")
LGN_ENV(TRAFFIC_CLASS, INT(0, 255), "0", "of packets with a GRH; its upper 6 bits are the DSCP of RoCE")
LGN_ENV(HOP_LIMIT, INT(1, 255), "64", "routers that packets with a GRH may pass; 1 keeps to the subnet")
LGN_ENV(TRACE, TEXT, "", "write a timeline of all workers there, at lagoon_close(); empty: none")
LGN_ENV(CHECK, CHOICE("0|1"), "0", "verify what pulls and pushes promise while the program runs; slow")
LGN_ENV(FORK, CHOICE("no|yes"), "no", "call ibv_fork_init(): for kernels before 5.12 and programs that fork")
