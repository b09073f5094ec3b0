/* SPDX-License-Identifier: BSD-3-Clause */
/* The RC wire of a build without RDMA libraries. */
#include "runtime/base/status.h"
#include "verbs/rdma.h"
#include "verbs/wire.h"
