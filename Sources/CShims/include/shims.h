// SPDX-License-Identifier: Apache-2.0

// Things Swift has no word for: the flush-to-zero bit, the huge-page hint, the build's vector width,
// the processors that a process may run on, and vector instructions that the compiler does not find in Swift's SIMD types by itself.
#ifndef LRA_SHIMS_H
#define LRA_SHIMS_H

#include <stddef.h>
#include <sys/mman.h>

#if defined(__x86_64__)
#include <immintrin.h>
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

/// Prefetches the cache line at an address, which may be invalid.
static inline void lra_prefetch(const void *address) { __builtin_prefetch(address); }

/// Sixteen floats, which Swift imports as `SIMD16<Float>`.
typedef float lra_lanes __attribute__((ext_vector_type(16)));

/// √x of each lane.
static inline lra_lanes lra_square_root(lra_lanes x) { return __builtin_elementwise_sqrt(x); }

/// The first half of each four lanes plus the second, those of a and b in turn.
static inline lra_lanes lra_fold(lra_lanes a, lra_lanes b) {
  lra_lanes low = __builtin_shufflevector(
      a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
  lra_lanes high = __builtin_shufflevector(
      a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  return low + high;
}

/// Exchanges rows and columns of sixteen rows, in registers.
static inline void lra_transpose(void *block) {
  typedef lra_lanes anywhere __attribute__((aligned(4)));
  anywhere *rows = (anywhere *)block;
  lra_lanes from[16], to[16];
#pragma unroll
  for (int i = 0; i < 16; i++) from[i] = rows[i];
#pragma unroll
  for (int round = 0; round < 4; round++) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      to[2 * i] = __builtin_shufflevector(
          from[i], from[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      to[2 * i + 1] = __builtin_shufflevector(
          from[i], from[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < 16; i++) from[i] = to[i];
  }
#pragma unroll
  for (int i = 0; i < 16; i++) rows[i] = from[i];
}

#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// x - ⌊x⌋ of each lane; 0 of infinities.
static inline lra_lanes lra_fraction(lra_lanes x) {
  return (lra_lanes)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF);
}
/// y·2^⌊x⌋ of each lane.
static inline lra_lanes lra_scale(lra_lanes y, lra_lanes x) {
  return (lra_lanes)_mm512_scalef_ps((__m512)y, (__m512)x);
}
/// 1 / x of each lane, within 2⁻²³ of its size; x is finite and not 0.
static inline lra_lanes lra_reciprocal(lra_lanes x) {
  __m512 y = _mm512_rcp14_ps((__m512)x);
  __m512 rest = _mm512_fnmadd_ps((__m512)x, y, _mm512_set1_ps(1));
  return (lra_lanes)_mm512_fmadd_ps(y, rest, y);
}
/// The largest lane.
static inline float lra_largest(lra_lanes x) { return _mm512_reduce_max_ps((__m512)x); }
#else
// Written out: a function would be a call with a vector that the processor lacks.
#define LRA_BOUNDED(x) ((x) < -127 ? (lra_lanes)-127 : (x) > 128 ? (lra_lanes)128 : (x))
static inline lra_lanes lra_fraction(lra_lanes x) {
  lra_lanes bounded = LRA_BOUNDED(x);
  return bounded - __builtin_elementwise_floor(bounded);
}
static inline lra_lanes lra_scale(lra_lanes y, lra_lanes x) {
  typedef int ints __attribute__((ext_vector_type(16)));
  ints exponent = __builtin_convertvector(__builtin_elementwise_floor(LRA_BOUNDED(x)), ints);
  return y * (lra_lanes)((exponent + 127) << 23);
}
static inline lra_lanes lra_reciprocal(lra_lanes x) { return 1 / x; }
static inline float lra_largest(lra_lanes x) { return __builtin_reduce_max(x); }
#endif

/// The cores that the scheduler may run this process on; 0 where the system does not tell.
int lra_affinity_cores(void);

/// Asks the kernel to back a large buffer with huge pages.
static inline void lra_advise_huge_pages(void *address, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(address, bytes, MADV_HUGEPAGE);
#endif
}

#endif
