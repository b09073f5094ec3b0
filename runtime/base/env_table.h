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
LGN_ENV(DEVICE, TEXT, "", "RDMA device and port, as in mlx5_0 or mlx5_0:2; empty: an active one near the shard")
LGN_ENV(INTERFACE, TEXT, "", "network interface for connecting; empty: the RDMA device's own address, else one of this host")
LGN_ENV(CONNECT, CHOICE, "auto", "how queue pairs are connected; auto: librdmacm where devices have IP addresses: auto|cm|tcp")
LGN_ENV(GID_INDEX, INT, "-1", "GID of the port; -1: 0 for InfiniBand, RoCE v2 with an IPv4 address for Ethernet [-1..255]")
LGN_ENV(QPS, INT, "1", "queue pairs to each peer; more than 1 costs READ rate at many peers [1..16]")
LGN_ENV(MTU, CHOICE, "0", "largest path MTU in bytes; 0 is that of the port; the smaller of both sides holds: 0|256|512|1024|2048|4096")
LGN_ENV(ACK_TIMEOUT, INT, "14", "local ACK timeout, 4.096 us x 2^N; 14 is 67 ms, so that a dead peer is noticed within seconds [1..31]")
LGN_ENV(RETRY, INT, "7", "how often a request without an answer is sent again before the peer counts as lost; 7 is the most [0..7]")
LGN_ENV(RNR_RETRY, INT, "6", "how often a request to a peer that is not ready is sent again; 7 would be for ever [0..6]")
LGN_ENV(PKEY_INDEX, INT, "0", "partition key of the port; 0 is the default partition [0..65535]")
LGN_ENV(SL, INT, "0", "InfiniBand service level; 0 unless the subnet manager says otherwise [0..15]")
LGN_ENV(TRAFFIC_CLASS, INT, "0", "of packets with a GRH; its upper 6 bits are the DSCP of RoCE [0..255]")
LGN_ENV(HOP_LIMIT, INT, "64", "routers that packets with a GRH may pass; 1 keeps to the subnet [1..255]")
LGN_ENV(FORK, CHOICE, "no", "call ibv_fork_init(): for kernels before 5.12 and programs that fork: no|yes")
