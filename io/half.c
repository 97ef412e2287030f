/* half: IEEE 754 binary16 to and from binary32 (declared in io/frame.h).
 *
 * The portable code and the F16C instructions give the same bits, also for
 * NaN: both keep the upper payload bits and set the quiet bit.
 */
#include <string.h>

#include "io/frame.h"

#define HALF_INF 0x7c00u
#define HALF_QUIET 0x0200u
#define FLOAT_INF 0x7f800000u
#define FLOAT_QUIET 0x00400000u

static uint32_t float_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = (half >> 10) & 0x1fu;
    uint32_t mantissa = half & 0x3ffu;

    if (exponent == 0x1f)
        return float_of(sign | FLOAT_INF | (mantissa << 13) |
                        (mantissa ? FLOAT_QUIET : 0));
    if (exponent)
        return float_of(sign | ((exponent + 112) << 23) | (mantissa << 13));
    /* Subnormal: mantissa * 2^-24, exact in a float. */
    return float_of(sign | float_bits((float)mantissa * 0x1p-24f));
}

/* The upper bits of a magnitude, rounded to nearest, ties to even; drop is
 * how many bits go (1..31). */
static uint32_t round_off(uint32_t value, unsigned drop)
{
    uint32_t kept = value >> drop;
    uint32_t rest = value & ((1u << drop) - 1);
    uint32_t tie = 1u << (drop - 1);

    return kept + (rest > tie || (rest == tie && (kept & 1)));
}

static uint16_t half_of_float(float value)
{
    uint32_t bits = float_bits(value);
    uint32_t sign = (bits >> 16) & 0x8000u;
    uint32_t size = bits & 0x7fffffffu;
    uint32_t exponent = size >> 23;

    if (size > FLOAT_INF)
        return (uint16_t)(sign | HALF_INF | HALF_QUIET |
                          ((size >> 13) & 0x3ffu));
    if (exponent >= 143) /* 2^16 and above, infinity too */
        return (uint16_t)(sign | HALF_INF);
    if (exponent >= 113) /* normal; a carry may reach infinity, rightly */
        return (uint16_t)(sign | round_off(size - (112u << 23), 13));
    if (exponent < 102) /* below half of the least subnormal */
        return (uint16_t)sign;
    return (uint16_t)(sign | round_off((size & 0x7fffffu) | 0x800000u,
                                       126 - exponent));
}

static void to_float_portable(const uint16_t *in, float *out, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        out[i] = float_of_half(in[i]);
}

static void to_half_portable(const float *in, uint16_t *out, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        out[i] = half_of_float(in[i]);
}

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define CPU_F16C (1u << 29)
#define CPU_AVX (1u << 28)
#define CPU_OSXSAVE (1u << 27)

/* Whether processor and system know F16C. Asked once: cpuid is slow in a
 * virtual machine. */
static int has_f16c(void)
{
    static _Atomic int known; /* 0: not asked, 1: no, 2: yes */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    unsigned a, b, c, d;

    if (!answer) {
        unsigned need = CPU_F16C | CPU_AVX | CPU_OSXSAVE;

        answer = 1;
        if (__get_cpuid(1, &a, &b, &c, &d) && (c & need) == need) {
            __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
            if ((a & 6) == 6)
                answer = 2;
        }
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == 2;
}

__attribute__((target("avx,f16c"))) static void to_float_f16c(
    const uint16_t *in, float *out, size_t n)
{
    size_t i;

    for (i = 0; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                      (const __m128i *)(in + i))));
    to_float_portable(in + i, out + i, n - i);
}

__attribute__((target("avx,f16c"))) static void to_half_f16c(const float *in,
                                                             uint16_t *out,
                                                             size_t n)
{
    size_t i;

    for (i = 0; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i),
                                         _MM_FROUND_TO_NEAREST_INT));
    to_half_portable(in + i, out + i, n - i);
}
#else
static int has_f16c(void)
{
    return 0;
}
#define to_float_f16c to_float_portable
#define to_half_f16c to_half_portable
#endif

void dq_half_to_float(const uint16_t *in, float *out, size_t n)
{
    if (has_f16c())
        to_float_f16c(in, out, n);
    else
        to_float_portable(in, out, n);
}

void dq_float_to_half(const float *in, uint16_t *out, size_t n)
{
    if (has_f16c())
        to_half_f16c(in, out, n);
    else
        to_half_portable(in, out, n);
}
