// Two things Swift has no word for: the flush-to-zero bit and the huge-page hint.
#ifndef LRA_SHIMS_H
#define LRA_SHIMS_H

#include <stddef.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
/// Makes this thread treat denormal numbers as zero, in inputs and in results.
static inline void lra_flush_denormals(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }
/// Tells the core that this thread is waiting in a loop.
static inline void lra_pause(void) { _mm_pause(); }
#else
static inline void lra_flush_denormals(void) {}
static inline void lra_pause(void) {}
#endif

/// Asks the kernel to back a large buffer with huge pages.
static inline void lra_advise_huge_pages(void *address, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(address, bytes, MADV_HUGEPAGE);
#endif
}

#endif
