#include "infer/recipe.h"

#include <stdlib.h>

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
    free(recipe->channel);
    free(recipe->shot_folder);
    free(recipe->survey_key);
    free(recipe->pixels_text);
    dq_model_free(recipe->model);
    dq_bytes_free(&recipe->artefact);
    free(recipe);
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
