/* shot_pair: what two frames of a shot say of each other's scale and shift.
 *
 * u and v are the two guides' values at n matched points, w how much each
 * point counts (docs/depth.md, 9). Sums in double, in a fixed order. Pure;
 * any thread.
 */
#ifndef DQ_INFER_SHOT_PAIR_H
#define DQ_INFER_SHOT_PAIR_H

#ifdef __cplusplus
extern "C" {
#endif

struct dq_pair {
    int a, c;        /* frames: places in the shot's list */
    double rho;      /* scale of c's guide over scale of a's */
    double q;        /* evidence, about the number of points behind it */
    double m_a, m_c; /* one level in a's numbers, and the same in c's */
    int level;       /* 0: they are one only if infinity lies where parallax
                        puts it; set by who matched the points */
};

/* One camera place, or a pure turn: v = rho u + beta. rho is the symmetric
 * ratio sqrt(C_vv / C_uu), which noise does not shrink as it does a slope; q
 * = S_w C_uv^2 / (C_uu C_vv). Points that move of themselves lose their weight
 * (Tukey, 6 rounds). True with rho, q, m_a, m_c set; false: no evidence. */
int dq_pair_affine(const double *u, const double *v, const double *w, int n,
                   struct dq_pair *pair);

/* The camera turned: along its axis depth became z turn[i], so disparity
 * u - zero became (u - zero) / turn, and
 *
 *   v = rho u / turn - rho zero (1 / turn - 1) + beta
 *
 * which tells where the guide of a has infinity. Robust as above. False: no
 * evidence, or a turn that shows nothing. */
int dq_pair_zero(const double *u, const double *v, const double *w,
                 const double *turn, int n, double *zero);

/* The camera goes along its axis: u_c = u_a / (1 - dz u_a). A parabola about
 * the far end z (the 5 % quantile): v = p0 + p1 (u - z) + p2 (u - z)^2, fitted
 * both ways, rho = sqrt(p1 / back's p1): far away a dolly changes nothing, so
 * the slope there is the scale. Wants exact matches and a far background. */
int dq_pair_dolly(const double *u, const double *v, const double *w, int n,
                  struct dq_pair *pair);

#ifdef __cplusplus
}
#endif
#endif
