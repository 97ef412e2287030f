/* rng: random numbers that depend on a key alone, never on the order they
 * are asked for in: the same scene from any number of threads. Pure. */
#ifndef DQ_SCENE_RNG_H
#define DQ_SCENE_RNG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Well-mixed bits of a key (the finaliser of SplitMix64). */
static inline uint64_t dq_rng_mix(uint64_t key)
{
    key += 0x9e3779b97f4a7c15U;
    key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9U;
    key = (key ^ (key >> 27)) * 0x94d049bb133111ebU;
    return key ^ (key >> 31);
}

/* 0 <= x < 1 */
static inline float dq_rng_unit(uint64_t key)
{
    return (float)(dq_rng_mix(key) >> 40) * (1.0F / 16777216.0F);
}

/* A stream for making a scene: each call gives the next number. */
struct dq_rng {
    uint64_t key, at;
};

static inline float dq_rng_next(struct dq_rng *r)
{
    return dq_rng_unit(r->key + 0x632be59bd9b4e019U * ++r->at);
}

static inline float dq_rng_range(struct dq_rng *r, float low, float high)
{
    return low + (high - low) * dq_rng_next(r);
}

#ifdef __cplusplus
}
#endif
#endif
