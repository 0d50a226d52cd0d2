// SPDX-License-Identifier: Apache-2.0

// What the header cannot hold inline: the mask of processors is declared for GNU programs only.
#define _GNU_SOURCE
#include "shims.h"

#include <sched.h>
#include <stdlib.h>

int lra_affinity_cores(void) {
#ifdef __linux__
  // The call fails when the kernel's mask is larger than the one given.
  for (int cores = 1024; cores <= 1 << 20; cores *= 4) {
    cpu_set_t *mask = CPU_ALLOC(cores);
    if (!mask) return 0;
    size_t size = CPU_ALLOC_SIZE(cores);
    int found = sched_getaffinity(0, size, mask) == 0 ? CPU_COUNT_S(size, mask) : 0;
    CPU_FREE(mask);
    if (found > 0) return found;
  }
#endif
  return 0;
}
