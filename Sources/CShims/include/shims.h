// Things Swift has no word for: the flush-to-zero bit, the huge-page hint, the build's vector width.
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

/// The widest vector unit that the including module is compiled for: 512, 256, or 128 bits.
static inline int lra_vector_bits(void) {
#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
  return 512;
#elif defined(__AVX2__) && defined(__FMA__)
  return 256;
#else
  return 128;
#endif
}

/// Asks for the cache line at an address, which need not exist.
static inline void lra_prefetch(const void *address) { __builtin_prefetch(address); }

/// Asks the kernel to back a large buffer with huge pages.
static inline void lra_advise_huge_pages(void *address, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(address, bytes, MADV_HUGEPAGE);
#endif
}

#endif
