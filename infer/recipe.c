#include "infer/recipe.h"

#include <stdlib.h>

#include "io/oiio_shim.h"

void dq_recipe_free(struct dq_recipe *recipe)
{
    if (!recipe)
        return;
    dq_sequence_free(&recipe->plate);
    dq_sequence_free(&recipe->output);
    dq_range_free(&recipe->frames);
    free(recipe->part);
    free(recipe->view);
    free(recipe->layer);
    free(recipe->colorspace);
#if DQ_OIIO
    dq_ocio_close(recipe->ocio);
#endif
    free(recipe->channel);
    free(recipe->shot_folder);
    free(recipe->survey_key);
    free(recipe->scan_text);
    free(recipe->pixels_text);
    dq_model_free(recipe->model);
    dq_bytes_free(&recipe->artefact);
    free(recipe);
}

int dq_recipe_colour(const struct dq_recipe *recipe,
                     const struct dq_plate_info *info, struct dq_colour *colour,
                     int *guessed, struct dq_err *err)
{
    if (!recipe->ocio)
        return dq_colour_matrix(recipe->colorspace, info, colour, guessed, err);
    colour->ocio = recipe->ocio;
    colour->encoding = DQ_ENCODING_LINEAR;
    colour->has_matrix = 0;
    *guessed = 0;
    return DQ_OK;
}

struct dq_plate_wish dq_recipe_wish(const struct dq_recipe *recipe)
{
    struct dq_plate_wish wish = {
        .part = recipe->part, .view = recipe->view, .layer = recipe->layer};

    return wish;
}

struct dq_depth_format dq_recipe_format(const struct dq_recipe *recipe)
{
    struct dq_depth_format format = {
        .mode = recipe->mode,
        .codec = recipe->codec,
        .half = recipe->half,
        .channel = recipe->channel,
        .replace_channel = recipe->replace_channel,
        .part = "depth",
        .view = recipe->view,
    };

    return format;
}
