# SPDX-License-Identifier: BSD-3-Clause
from spack.package import *


class Lagoon(AutotoolsPackage):
    """Parameter tables with bounded staleness for parallel programs: pulls are
    one-sided reads, pushes are atomic adds, over shared memory or RDMA."""

    # For a checkout: spack dev-build lagoon@main
    version("main")

    variant("pmix", default=True, description="Start under srun --mpi=pmix and mpirun")
    variant("verbs", default=True, description="The RDMA wire")
    variant("fortran", default=True, description="Module lagoon for Fortran")

    depends_on("autoconf", type="build")
    depends_on("automake", type="build")
    depends_on("libtool", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("hwloc@2:")
    depends_on("jansson")
    depends_on("isa-l")
    depends_on("zlib")
    depends_on("random123")
    depends_on("xxhash")
    depends_on("pmix", when="+pmix")
    depends_on("rdma-core", when="+verbs")

    def autoreconf(self, spec, prefix):
        Executable("./autogen.sh")()

    def configure_args(self):
        args = ["--without-criterion"]
        args += self.with_or_without("pmix")
        args += self.with_or_without("verbs")
        args += self.enable_or_disable("fortran")
        return args
