// SPDX-License-Identifier: Apache-2.0

// Things Swift has no word for: the flush-to-zero bit, the huge-page hint, the build's vector width,
// the processors that a process may run on, and vector instructions that the compiler does not find in Swift's SIMD types by itself.
#ifndef LRA_SHIMS_H
#define LRA_SHIMS_H

#include <stdbool.h>
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

#if defined(__AVX512F__)
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
#else
/// Eight floats.
typedef float lra_eight __attribute__((ext_vector_type(8), aligned(4)));

/// Writes the transpose of 8 × 8 floats, whose rows lie `row` floats apart.
static inline void lra_transpose_eight(const float *from, int row, float *to, int to_row) {
  lra_eight a[8], b[8];
#pragma unroll
  for (int i = 0; i < 8; i++) a[i] = *(const lra_eight *)(from + i * row);
#pragma unroll
  for (int i = 0; i < 8; i += 2) {
    b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
#pragma unroll
  for (int i = 0; i < 8; i += 4) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      a[i + 2 * half] = __builtin_shufflevector(
          b[i + half], b[i + half + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      a[i + 2 * half + 1] = __builtin_shufflevector(
          b[i + half], b[i + half + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
#pragma unroll
  for (int i = 0; i < 4; i++) {
    *(lra_eight *)(to + i * to_row) = __builtin_shufflevector(
        a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *(lra_eight *)(to + (i + 4) * to_row) = __builtin_shufflevector(
        a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/// Exchanges rows and columns of sixteen rows, a quarter at a time.
static inline void lra_transpose(void *block) {
  float *rows = (float *)block;
  float upper[64];
  lra_transpose_eight(rows, 16, rows, 16);
  lra_transpose_eight(rows + 8, 16, upper, 8);
  lra_transpose_eight(rows + 128, 16, rows + 8, 16);
  lra_transpose_eight(rows + 136, 16, rows + 136, 16);
#pragma unroll
  for (int i = 0; i < 8; i++) {
    *(lra_eight *)(rows + 128 + 16 * i) = *(const lra_eight *)(upper + 8 * i);
  }
}
#endif

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

/// Whether this build has the instructions of AVX512-BF16; where it has not, what follows is never called.
static inline bool lra_has_bfloat16(void) {
#if defined(__AVX512BF16__)
  return true;
#else
  return false;
#endif
}
/// Sixteen pairs of bfloat16 of lanes in the same place, the first in the low half of its 32 bits.
static inline lra_lanes lra_pairs(lra_lanes first, lra_lanes second) {
#if defined(__AVX512BF16__)
  __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)first));
  __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)second));
  return (lra_lanes)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
#else
  return first;
#endif
}
/// Sixteen pairs of bfloat16 of neighbouring lanes.
static inline lra_lanes lra_neighbours(lra_lanes low, lra_lanes high) {
#if defined(__AVX512BF16__)
  return (lra_lanes)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
#else
  return low;
#endif
}
/// sum + a₂·b₂ + a₁·b₁ of each lane, in this order, of pairs of bfloat16.
static inline lra_lanes lra_add_pair_products(lra_lanes sum, lra_lanes a, lra_lanes b) {
#if defined(__AVX512BF16__)
  return (lra_lanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  return sum;
#endif
}

/// Whether this build has dot products of bytes (AVX512-VNNI, or AVX-VNNI in builds for AVX2).
static inline bool lra_has_byte_products(void) {
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
  return true;
#else
  return false;
#endif
}
typedef int lra_ints __attribute__((ext_vector_type(16)));
/// sum + Σ of the four products of the signed and the unsigned bytes of each lane, in integers of 32 bits.
static inline lra_lanes lra_add_byte_products_portable(
    lra_lanes sum, lra_lanes signed_bytes, lra_lanes unsigned_bytes) {
  lra_ints total = (lra_ints)sum, a = (lra_ints)signed_bytes, b = (lra_ints)unsigned_bytes;
  total += (a << 24 >> 24) * (b & 255);
  total += (a << 16 >> 24) * (b >> 8 & 255);
  total += (a << 8 >> 24) * (b >> 16 & 255);
  total += (a >> 24) * (b >> 24 & 255);
  return (lra_lanes)total;
}
/// The same by one instruction, where the build has it.
static inline lra_lanes lra_add_byte_products(
    lra_lanes sum, lra_lanes signed_bytes, lra_lanes unsigned_bytes) {
#if defined(__AVX512VNNI__)
  return (lra_lanes)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)unsigned_bytes, (__m512i)signed_bytes);
#elif defined(__AVXVNNI__)
  __m256i s[2], a[2], b[2];
  __builtin_memcpy(s, &sum, 64);
  __builtin_memcpy(a, &signed_bytes, 64);
  __builtin_memcpy(b, &unsigned_bytes, 64);
  for (int half = 0; half < 2; half++) s[half] = _mm256_dpbusd_avx_epi32(s[half], b[half], a[half]);
  __builtin_memcpy(&sum, s, 64);
  return sum;
#else
  return sum;
#endif
}
/// 64 numbers between -127 and 127, each rounded to the nearest integer, of two to the even one, as signed
/// bytes: four neighbours to a lane.
static inline lra_lanes lra_bytes(lra_lanes a, lra_lanes b, lra_lanes c, lra_lanes d) {
  typedef unsigned char bytes __attribute__((ext_vector_type(16)));
  // Added to 1.5·2²³, a number's integer part is the low end of the sum's bits.
  bytes parts[4] = {
      __builtin_convertvector((lra_ints)(a + 12582912.0f), bytes),
      __builtin_convertvector((lra_ints)(b + 12582912.0f), bytes),
      __builtin_convertvector((lra_ints)(c + 12582912.0f), bytes),
      __builtin_convertvector((lra_ints)(d + 12582912.0f), bytes)};
  lra_lanes result;
  __builtin_memcpy(&result, parts, 64);
  return result;
}
/// Signed bytes as unsigned ones that are 128 more.
static inline lra_lanes lra_shifted_bytes(lra_lanes x) {
  return (lra_lanes)((lra_ints)x ^ (int)0x80808080);
}
/// a + b of integers.
static inline lra_lanes lra_add_integers(lra_lanes a, lra_lanes b) {
  return (lra_lanes)((lra_ints)a + (lra_ints)b);
}
/// (a − b) of integers, as floats.
static inline lra_lanes lra_integer_difference(lra_lanes a, lra_lanes b) {
  return __builtin_convertvector((lra_ints)a - (lra_ints)b, lra_lanes);
}

/// The cores that the scheduler may run this process on; 0 where the system does not tell.
int lra_affinity_cores(void);

/// Asks the kernel to back a large buffer with huge pages.
static inline void lra_advise_huge_pages(void *address, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(address, bytes, MADV_HUGEPAGE);
#endif
}

#endif
