/* colour_space: which matrix takes a plate's RGB to linear Rec.709. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/colour.h"

/* Chromaticities: red, green, blue, white, x and y each. */
static const float REC709[8] = {0.64F, 0.33F, 0.30F,   0.60F,
                                0.15F, 0.06F, 0.3127F, 0.3290F};
static const float AP0[8] = {0.7347F, 0.2653F,  0.0F,     1.0F,
                             0.0001F, -0.0770F, 0.32168F, 0.33767F};
static const float AP1[8] = {0.713F, 0.293F, 0.165F,   0.830F,
                             0.128F, 0.044F, 0.32168F, 0.33767F};
static const float REC2020[8] = {0.708F, 0.292F, 0.170F,  0.797F,
                                 0.131F, 0.046F, 0.3127F, 0.3290F};
static const float P3D65[8] = {0.680F, 0.320F, 0.265F,  0.690F,
                               0.150F, 0.060F, 0.3127F, 0.3290F};

/* Names of the ACES and colour-interop conventions, and their short forms. */
static const struct {
    const char *name;
    const float *primaries;
} spaces[] = {
    {"lin_rec709", REC709},
    {"lin_rec709_scene", REC709},
    {"lin_srgb", REC709},
    {"lin_ap0", AP0},
    {"lin_ap0_scene", AP0},
    {"ACES2065-1", AP0},
    {"lin_ap1", AP1},
    {"lin_ap1_scene", AP1},
    {"ACEScg", AP1},
    {"lin_rec2020", REC2020},
    {"lin_rec2020_scene", REC2020},
    {"lin_p3d65", P3D65},
    {"lin_p3d65_scene", P3D65},
};
enum { SPACES = sizeof spaces / sizeof *spaces };

static void multiply(double a[3][3], double b[3][3], double out[3][3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[i][j] =
                a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

static int invert(double m[3][3], double out[3][3])
{
    double det = 0;

    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3;
            int c = (i + 1) % 3, d = (i + 2) % 3;

            out[i][j] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
        }
    for (int j = 0; j < 3; j++)
        det += m[0][j] * out[j][0];
    if (fabs(det) < 1e-12)
        return -1;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[i][j] /= det;
    return 0;
}

/* x, y with luminance 1 -> X, Y, Z */
static void xyz_of(const float *xy, double out[3])
{
    double x = (double)xy[0], y = (double)xy[1];

    out[0] = x / y;
    out[1] = 1;
    out[2] = (1 - x - y) / y;
}

/* RGB -> XYZ from primaries and white (SMPTE RP 177). */
static int to_xyz(const float c[8], double out[3][3])
{
    double p[3][3], inverse[3][3], white[3], scale[3];

    for (int k = 0; k < 4; k++)
        if (!(fabsf(c[2 * k + 1]) > 1e-6F))
            return -1;
    for (int k = 0; k < 3; k++) {
        double column[3];

        xyz_of(c + 2 * k, column);
        for (int i = 0; i < 3; i++)
            p[i][k] = column[i];
    }
    xyz_of(c + 6, white);
    if (invert(p, inverse))
        return -1;
    for (int k = 0; k < 3; k++)
        scale[k] = inverse[k][0] * white[0] + inverse[k][1] * white[1] +
                   inverse[k][2] * white[2];
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            out[i][k] = p[i][k] * scale[k];
    return 0;
}

/* The Bradford cone responses, which white points are compared in. */
static void adapt(const float from_white[2], const float to_white[2],
                  double out[3][3])
{
    double cone[3][3] = {{0.8951, 0.2664, -0.1614},
                         {-0.7502, 1.7135, 0.0367},
                         {0.0389, -0.0685, 1.0296}};
    double back[3][3], scaled[3][3];
    double a[3], b[3];

    xyz_of(from_white, a);
    xyz_of(to_white, b);
    for (int i = 0; i < 3; i++) {
        double from = cone[i][0] * a[0] + cone[i][1] * a[1] + cone[i][2] * a[2];
        double to = cone[i][0] * b[0] + cone[i][1] * b[1] + cone[i][2] * b[2];

        for (int j = 0; j < 3; j++)
            scaled[i][j] = cone[i][j] * to / from;
    }
    invert(cone, back);
    multiply(back, scaled, out);
}

static int same_primaries(const float a[8], const float b[8])
{
    for (int i = 0; i < 8; i++)
        if (fabsf(a[i] - b[i]) > 5e-4F)
            return 0;
    return 1;
}

static int set_matrix(const float from[8], struct dq_colour *colour)
{
    double xyz[3][3], target[3][3], back[3][3], adapted[3][3];
    double a[3][3], b[3][3];

    colour->has_matrix = !same_primaries(from, REC709);
    if (!colour->has_matrix)
        return 0;
    if (to_xyz(from, xyz) || to_xyz(REC709, target) || invert(target, back))
        return -1;
    adapt(from + 6, REC709 + 6, adapted);
    multiply(adapted, xyz, a);
    multiply(back, a, b);
    for (int i = 0; i < 9; i++)
        colour->matrix[i] = (float)b[i / 3][i % 3];
    return 0;
}

static const float *primaries_of(const char *name)
{
    for (int i = 0; name && i < SPACES; i++)
        if (strcmp(spaces[i].name, name) == 0)
            return spaces[i].primaries;
    return NULL;
}

/* Files of other formats than EXR, with Rec.709 primaries. */
static int is_encoded(const char *id, struct dq_colour *colour)
{
    if (id && strcmp(id, "srgb_rec709_scene") == 0)
        colour->encoding = DQ_ENCODING_SRGB;
    else if (id && strcmp(id, "encoded_bt709") == 0)
        colour->encoding = DQ_ENCODING_BT709;
    return colour->encoding != DQ_ENCODING_LINEAR;
}

static int unknown_space(const char *name, struct dq_err *err)
{
    const char *names[SPACES], *near;
    char list[512] = "";

    for (size_t i = 0; i < SPACES; i++) {
        size_t used = strlen(list);

        names[i] = spaces[i].name;
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
                 names[i]);
    }
    near = dq_text_nearest(name, names, SPACES);
    return dq_fail(err, DQ_SPEC,
                   "input.colorspace: '%s' is not known%s%s%s; known are "
                   "auto, %s, and with $OCIO set the spaces of that "
                   "configuration",
                   name, near ? " (did you mean '" : "", near ? near : "",
                   near ? "'?)" : "", list);
}

int dq_colour_space_known(const char *colorspace)
{
    return strcmp(colorspace, "auto") == 0 || primaries_of(colorspace);
}

int dq_colour_matrix(const char *colorspace, const struct dq_plate_info *info,
                     struct dq_colour *colour, int *guessed, struct dq_err *err)
{
    const float *from = NULL;

    *guessed = 0;
    colour->has_matrix = 0;
    colour->encoding = DQ_ENCODING_LINEAR;
    if (strcmp(colorspace, "auto") != 0) {
        from = primaries_of(colorspace);
        if (!from)
            return unknown_space(colorspace, err);
    } else {
        if (is_encoded(info->interop_id, colour))
            return DQ_OK;
        if (info->interop_id && !strcmp(info->interop_id, "encoded_log"))
            return dq_fail(err, DQ_SPEC,
                           "the plates are logarithmic; name their colour "
                           "space with input.colorspace");
        from = primaries_of(info->interop_id);
        if (!from && info->has_chromaticities)
            from = info->chromaticities;
        *guessed = !from;
    }
    if (from && set_matrix(from, colour))
        return dq_fail(err, DQ_PLATE,
                       "its chromaticities describe no colour space; set "
                       "input.colorspace");
    return DQ_OK;
}
