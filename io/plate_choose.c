/* plate_choose: from a wish (part, view, layer) to the channels to read.
 *
 * Pure: works on what the header says, so it serves every format. Names of
 * channels in a single part with several views (attribute multiView) follow
 * OpenEXR's rule: the default view's are bare ("R"), the others carry their
 * view before the last piece ("left.R", "beauty.left.R"). Parts of a
 * multi-part file say their view themselves; their channels do not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "io/plate_private.h"

#define NAME_ROOM 640

/* How channels are named for one wish in one part. */
struct naming {
    const char *layer;   /* or NULL */
    const char *view;    /* in the channels' names, or NULL */
    int view_is_default; /* then bare names are meant first */
};

/* ---- finding channels ---------------------------------------------------- */

static int find_named(const struct dq_plate_part *part, const char *layer,
                      const char *view, const char *channel)
{
    char name[NAME_ROOM];
    int i;

    snprintf(name, sizeof name, "%s%s%s%s%s", layer ? layer : "",
             layer ? "." : "", view ? view : "", view ? "." : "", channel);
    for (i = 0; i < part->channel_count; i++)
        if (!strcmp(part->channels[i].name, name))
            return i;
    return -1;
}

static int find_channel(const struct dq_plate_part *part,
                        const struct naming *naming, const char *channel)
{
    int found = -1;

    if (!naming->view || naming->view_is_default)
        found = find_named(part, naming->layer, NULL, channel);
    if (found < 0 && naming->view)
        found = find_named(part, naming->layer, naming->view, channel);
    return found;
}

enum kind { KIND_NONE, KIND_RGB, KIND_GREY, KIND_CHROMA };

/* Fill choice->channel with what the part has; which kind that makes. */
static enum kind find_kind(const struct dq_plate_part *part,
                           const struct naming *naming,
                           struct dq_plate_choice *choice)
{
    static const char *const rgb[3] = {"R", "G", "B"};
    static const char *const chroma[3] = {"Y", "RY", "BY"};
    int *channel = choice->channel;
    int i;

    choice->grey = choice->chroma = 0;
    channel[3] = find_channel(part, naming, "A");
    for (i = 0; i < 3; i++)
        channel[i] = find_channel(part, naming, rgb[i]);
    if (channel[0] >= 0 && channel[1] >= 0 && channel[2] >= 0)
        return KIND_RGB;
    if (channel[0] >= 0 || channel[1] >= 0 || channel[2] >= 0)
        return KIND_NONE;
    for (i = 0; i < 3; i++)
        channel[i] = find_channel(part, naming, chroma[i]);
    if (channel[0] < 0 || (channel[1] < 0) != (channel[2] < 0))
        return KIND_NONE;
    if (find_channel(part, naming, "X") >= 0) /* a vector, no luminance */
        return KIND_NONE;
    if (channel[1] >= 0) {
        choice->chroma = 1;
        return KIND_CHROMA;
    }
    channel[1] = channel[2] = channel[0];
    choice->grey = 1;
    return KIND_GREY;
}

/* ---- messages ------------------------------------------------------------ */

/* Names one after another; what goes beyond a few lines is left out. */
static void add_name(struct dq_bytes *text, const char *name)
{
    if (text->count < 300)
        dq_bytes_printf(text, "%s%s", text->count ? ", " : "", name);
    else if (strcmp(text->data + text->count - 3, "...") != 0)
        dq_bytes_text(text, ", ...");
}

static int no_channels(const struct dq_plate_info *info, int part,
                       const struct naming *naming, struct dq_err *err)
{
    const struct dq_plate_part *p = &info->parts[part];
    static const char *const rgb[3] = {"R", "G", "B"};
    struct dq_bytes names = {0};
    char where[DQ_PART_TEXT];
    const char *missing = "R";
    int i;

    for (i = 2; i >= 0; i--)
        if (find_channel(p, naming, rgb[i]) < 0)
            missing = rgb[i];
    for (i = 0; i < p->channel_count; i++)
        add_name(&names, p->channels[i].name);
    dq_plate_part_text(info, part, where);
    dq_fail(err, DQ_PLATE,
            "%s has no channel '%s%s%s%s%s' (its channels: %s); name another "
            "input.part or input.layer",
            where, naming->layer ? naming->layer : "", naming->layer ? "." : "",
            naming->view && !naming->view_is_default ? naming->view : "",
            naming->view && !naming->view_is_default ? "." : "", missing,
            names.data ? names.data : "none");
    dq_bytes_free(&names);
    return err->code;
}

static int no_part(const struct dq_plate_info *info, const char *wish,
                   struct dq_err *err)
{
    struct dq_bytes names = {0};
    int i;

    for (i = 0; i < info->part_count; i++)
        add_name(&names, info->parts[i].name);
    dq_fail(err, DQ_PLATE, "there is no part '%s' (%d parts: %s)", wish,
            info->part_count, names.data ? names.data : "without a name");
    dq_bytes_free(&names);
    return err->code;
}

static int no_view(const struct dq_plate_info *info, const char *wish,
                   struct dq_err *err)
{
    struct dq_bytes names = {0};
    int i;

    if (!info->view_count)
        return dq_fail(err, DQ_PLATE,
                       "there is no view '%s': the plate has "
                       "no views",
                       wish);
    for (i = 0; i < info->view_count; i++)
        add_name(&names, info->views[i]);
    dq_fail(err, DQ_PLATE, "there is no view '%s' (views: %s)", wish,
            names.data);
    dq_bytes_free(&names);
    return err->code;
}

static int not_flat(const struct dq_plate_info *info, int part,
                    struct dq_err *err)
{
    char where[DQ_PART_TEXT];

    dq_plate_part_text(info, part, where);
    return dq_fail(err, DQ_PLATE,
                   "%s is %s data; only flat images can be read: flatten it, "
                   "or name a flat part",
                   where, info->parts[part].storage);
}

/* ---- views and parts ----------------------------------------------------- */

/* Views stand in channel names only where one part holds them all. */
static int views_in_names(const struct dq_plate_info *info, int part)
{
    return info->part_count == 1 && info->view_count > 0 &&
           !*info->parts[part].view;
}

static int has_view(const struct dq_plate_info *info, const char *view)
{
    int i;

    for (i = 0; i < info->view_count; i++)
        if (!strcmp(info->views[i], view))
            return 1;
    return 0;
}

static struct naming naming_for(const struct dq_plate_info *info, int part,
                                const struct dq_plate_wish *wish)
{
    struct naming naming = {0};

    naming.layer = wish->layer && *wish->layer ? wish->layer : NULL;
    if (views_in_names(info, part)) {
        naming.view = wish->view ? wish->view : info->views[0];
        naming.view_is_default = !strcmp(naming.view, info->views[0]);
    }
    return naming;
}

static int part_has_view(const struct dq_plate_info *info, int part,
                         const char *view)
{
    return !view || views_in_names(info, part) ||
           !strcmp(info->parts[part].view, view);
}

static int find_part(const struct dq_plate_info *info, const char *wish)
{
    long number;
    int i;

    for (i = 0; i < info->part_count; i++)
        if (!strcmp(info->parts[i].name, wish))
            return i;
    if (!dq_text_long(wish, &number) && number >= 0 &&
        number < info->part_count)
        return (int)number;
    return -1;
}

/* Only whole pixels, or OpenEXR's luminance-chroma form with chroma at half
 * the width and height. */
static int check_sampling(const struct dq_plate_info *info,
                          const struct dq_plate_choice *choice,
                          struct dq_err *err)
{
    const struct dq_plate_part *p = &info->parts[choice->part];
    int i, want;

    for (i = 0; i < 4; i++) {
        const struct dq_plate_channel *c;

        if (choice->channel[i] < 0)
            continue;
        c = &p->channels[choice->channel[i]];
        want = choice->chroma && (i == 1 || i == 2) ? 2 : 1;
        if (c->x_sampling != want || c->y_sampling != want)
            return dq_fail(err, DQ_PLATE,
                           "channel '%s' is sampled %d x %d; only RY and BY "
                           "at 2 x 2 beside a full Y can be read",
                           c->name, c->x_sampling, c->y_sampling);
    }
    return DQ_OK;
}

/* Try one part; KIND_NONE leaves err alone. */
static int take_part(const struct dq_plate_info *info, int part,
                     const struct dq_plate_wish *wish,
                     struct dq_plate_choice *choice)
{
    struct naming naming = naming_for(info, part, wish);

    choice->part = part;
    return find_kind(&info->parts[part], &naming, choice) != KIND_NONE;
}

static int choose_named(const struct dq_plate_info *info,
                        const struct dq_plate_wish *wish,
                        struct dq_plate_choice *choice, struct dq_err *err)
{
    struct naming naming;
    int part = find_part(info, wish->part);

    if (part < 0)
        return no_part(info, wish->part, err);
    if (!part_has_view(info, part, wish->view))
        return dq_fail(err, DQ_PLATE,
                       "part '%s' belongs to view '%s', not "
                       "to '%s'",
                       wish->part, info->parts[part].view, wish->view);
    if (info->parts[part].deep)
        return not_flat(info, part, err);
    if (take_part(info, part, wish, choice))
        return DQ_OK;
    naming = naming_for(info, part, wish);
    return no_channels(info, part, &naming, err);
}

/* The first flat part (of the view) that has the channels. */
static int choose_first(const struct dq_plate_info *info,
                        const struct dq_plate_wish *wish,
                        struct dq_plate_choice *choice, struct dq_err *err)
{
    struct naming naming;
    int i, flat = -1, deep = -1;

    for (i = 0; i < info->part_count; i++) {
        if (!part_has_view(info, i, wish->view))
            continue;
        if (info->parts[i].deep) {
            deep = deep < 0 ? i : deep;
            continue;
        }
        if (take_part(info, i, wish, choice))
            return DQ_OK;
        flat = flat < 0 ? i : flat;
    }
    if (flat < 0 && deep < 0)
        return dq_fail(err, DQ_PLATE, "no part belongs to view '%s'",
                       wish->view);
    if (flat < 0)
        return not_flat(info, deep, err);
    naming = naming_for(info, flat, wish);
    return no_channels(info, flat, &naming, err);
}

int dq_plate_choose(const struct dq_plate *plate,
                    const struct dq_plate_wish *wish,
                    struct dq_plate_choice *choice, struct dq_err *err)
{
    const struct dq_plate_info *info = dq_plate_info(plate);
    struct dq_err local = {0};
    int code;

    if (!err)
        err = &local;
    memset(choice, 0, sizeof *choice);
    if (wish->view && !has_view(info, wish->view))
        code = no_view(info, wish->view, err);
    else if (wish->part)
        code = choose_named(info, wish, choice, err);
    else
        code = choose_first(info, wish, choice, err);
    if (!code)
        code = check_sampling(info, choice, err);
    return code ? dq_because(err, "%s", plate->name) : DQ_OK;
}
