#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What lagoon info says of an RDMA device.
src=$(cd "${srcdir:-.}" && pwd)
exec bash "$src/test/rdma/vm" --timeout 120 -- bash "$src/test/rdma/info.sh"
