#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/publish.h"
#include "base/text.h"
#include "cli/nuke.h"
#include "cli/pass_models.h"
#include "cli/problems.h"
#include "cli/pull.h"
#include "cli/run_report.h"
#include "io/plate.h"

enum { NUKE_LIMIT = 1 << 20 };

/* ---- remarks -------------------------------------------------------------*/

/* Words about some frames; those with the same words are told together. */
struct remarks {
    struct {
        char *text;
        struct dq_range frames;
    } * list;
    size_t count, room; /* of each range */
};

static void remark(struct remarks *r, int32_t frame, const char *fmt, ...)
    DQ_PRINTF(3, 4);
static void remark(struct remarks *r, int32_t frame, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    size_t i = 0;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    while (i < r->count && strcmp(r->list[i].text, text) != 0)
        i++;
    if (i == r->count) {
        r->list = dq_grow(r->list, i + 1, sizeof *r->list);
        r->list[i].text = dq_strdup(text);
        r->list[i].frames.frames = dq_new_array(r->room, sizeof frame);
        r->list[i].frames.count = 0;
        r->count++;
    }
    r->list[i].frames.frames[r->list[i].frames.count++] = frame;
}

static void print_remarks(struct remarks *r, const char *name, FILE *to)
{
    for (size_t i = 0; i < r->count; i++) {
        char *frames = dq_range_text(&r->list[i].frames);
        char *line = dq_asprintf("%s: %s: %s", name, r->list[i].text, frames);

        fprintf(to, "%s\n", dq_text_harmless(line, '?'));
        free(line);
        free(frames);
        free(r->list[i].text);
        dq_range_free(&r->list[i].frames);
    }
    free(r->list);
}

/* What a frame was at the moment that is asked for: its bytes are gone. */
static const char *model_then(const struct dq_pull *p,
                              const struct dq_pull_frame *f)
{
    for (size_t i = 1; i < f->count; i++) {
        const struct dq_made *m = &f->versions[i].made;

        if (*m->when && strcmp(m->when, p->wish->moment) <= 0)
            return *m->model ? m->model : "an unknown model";
    }
    return NULL;
}

static void remark_state(struct remarks *r, const struct dq_pull *p,
                         const struct dq_pull_frame *f)
{
    const char *then;

    switch (f->state) {
    case DQ_PULL_MISSING:
        remark(r, f->frame, "missing");
        break;
    case DQ_PULL_UNKNOWN:
        remark(r, f->frame, "not known to depthq (no record)");
        break;
    case DQ_PULL_OTHER:
        remark(r, f->frame, "made by %s, not by %s", f->versions[0].made.model,
               p->wish->model);
        break;
    case DQ_PULL_LATER:
        then = model_then(p, f);
        remark(r, f->frame, "made after %s (%s%s)", p->wish->as_of,
               then ? "then made by " : "then not there yet", then ? then : "");
        break;
    case DQ_PULL_WANTED:
    case DQ_PULL_DONE:
    case DQ_PULL_REFUSED:
        break;
    }
}

static void remark_quality(struct remarks *r, const struct dq_pull_frame *f)
{
    switch (f->stale.why) {
    case DQ_STALE_ALTERED:
        remark(r, f->frame, "altered since it was delivered");
        break;
    case DQ_STALE_NO_PLATE:
        remark(r, f->frame, "perhaps stale, plate missing");
        break;
    case DQ_STALE_PLATE:
    case DQ_STALE_MODEL:
    case DQ_STALE_SETTINGS:
        remark(r, f->frame, "stale, %s%s%s%s", dq_stale_text(f->stale.why),
               *f->stale.was ? " (made by " : "", f->stale.was,
               *f->stale.was ? ")" : "");
        break;
    case DQ_FRESH:
    case DQ_STALE_ABSENT:
    case DQ_STALE_WHYS:
        break;
    }
    if (f->count && f->versions[0].made.suspect[0])
        remark(r, f->frame, "suspect, %s", f->versions[0].made.suspect);
}

void dq_pull_tell_state(const struct dq_pull *p, FILE *to)
{
    struct remarks r = {.room = p->count};

    for (size_t i = 0; i < p->count; i++)
        remark_state(&r, p, &p->frames[i]);
    for (size_t i = 0; i < p->count; i++)
        if (p->frames[i].state == DQ_PULL_WANTED)
            remark_quality(&r, &p->frames[i]);
    print_remarks(&r, p->pass.name, to);
    if (p->unjudged.code && p->pass.has_job) {
        char *text = dq_strdup(p->unjudged.text);

        fprintf(to, "%s: what is stale is not known here: %s\n", p->pass.name,
                dq_text_harmless(text, '?'));
        free(text);
    }
}

/* ---- the end -------------------------------------------------------------*/

static void add_ways(const struct dq_pull *p, struct dq_bytes *to)
{
    size_t counts[DQ_PULL_COPY + 1] = {0};
    const char *between = " (";

    for (size_t i = 0; i < p->count; i++)
        counts[p->frames[i].way] += p->frames[i].state == DQ_PULL_DONE;
    for (int way = 0; way <= DQ_PULL_COPY; way++) {
        if (!counts[way])
            continue;
        dq_bytes_printf(to, "%s%zu %s", between, counts[way],
                        dq_pull_way_name((enum dq_pull_way)way));
        between = ", ";
    }
    dq_bytes_text(to, *between == ',' ? ")" : "");
}

char *dq_pull_summary(const struct dq_pull *p)
{
    struct dq_bytes out = {0};
    struct dq_range not = {dq_new_array(p->count, sizeof *not .frames), 0};
    char *frames;

    for (size_t i = 0; i < p->count; i++)
        if (p->frames[i].state != DQ_PULL_DONE)
            not .frames[not .count++] = p->frames[i].frame;
    dq_bytes_printf(&out, "%s: %zu pulled", p->pass.name,
                    p->count - not .count);
    add_ways(p, &out);
    frames = dq_range_text(&not );
    if (not .count)
        dq_bytes_printf(&out, ", %zu not (%s)", not .count, frames);
    dq_bytes_printf(&out, ", to %s", p->target);
    free(frames);
    dq_range_free(&not );
    return dq_text_harmless(out.data, '?');
}

static const char *state_name(enum dq_pull_state state)
{
    static const char *const names[] = {
        [DQ_PULL_WANTED] = "waiting",    [DQ_PULL_DONE] = "pulled",
        [DQ_PULL_MISSING] = "missing",   [DQ_PULL_UNKNOWN] = "unknown",
        [DQ_PULL_OTHER] = "other_model", [DQ_PULL_LATER] = "later",
        [DQ_PULL_REFUSED] = "refused",
    };

    return names[state];
}

static json_t *frame_json(const struct dq_pull_frame *f)
{
    json_t *o = json_pack("{s:i, s:s, s:o}", "frame", (int)f->frame, "state",
                          state_name(f->state), "path", dq_text_json(f->to));

    if (f->state == DQ_PULL_DONE)
        json_object_set_new(o, "way", json_string(dq_pull_way_name(f->way)));
    if (f->stale.why != DQ_FRESH)
        json_object_set_new(o, "stale",
                            json_string(dq_stale_text(f->stale.why)));
    if (f->count)
        json_object_set_new(o, "version",
                            dq_pass_version_json(&f->versions[0]));
    if (f->err.code)
        json_object_set_new(o, "error", dq_error_json(&f->err));
    return o;
}

json_t *dq_pull_json(const struct dq_pull *p, const char *nuke, int status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->count; i++)
        json_array_append_new(list, frame_json(&p->frames[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o, s:i}", "name",
                     dq_text_json(p->pass.name), "from",
                     dq_text_json(p->pass.pattern), "to",
                     dq_text_json(p->target), "nuke",
                     nuke ? dq_text_json(nuke) : json_null(), "stale_known",
                     !p->unjudged.code, "frames", list, "exit_status", status);
}

/* ---- Nuke ----------------------------------------------------------------*/

/* d.####.exr -> d.nk */
static char *nuke_path(const char *target)
{
    char *folder = dq_path_folder(target);
    size_t n;
    const char *name = dq_nuke_name(target, &n);
    char *path =
        dq_asprintf("%s/%.*s.nk", folder, n ? (int)n : 5, n ? name : "depth");

    free(folder);
    return path;
}

static char *nuke_text(const struct dq_pull *p, const struct dq_range *done,
                       const struct dq_plate *file)
{
    const struct dq_plate_info *info = dq_plate_info(file);
    char *model = dq_asprintf("%s@%s", dq_pass_says(file, DQ_ATTR_MODEL),
                              dq_pass_says(file, DQ_ATTR_MODEL_VERSION));
    struct dq_nuke_read read = {
        .pattern = p->target,
        .first = done->frames[0],
        .last = done->frames[done->count - 1],
        .width = (int)dq_box_width(&info->display),
        .height = (int)dq_box_height(&info->display),
        .pixel_aspect = (double)info->pixel_aspect,
        .model = model,
        .channel = dq_pass_says(file, DQ_ATTR_CHANNEL),
        .kind = dq_pass_says(file, DQ_ATTR_KIND),
        .unit = dq_pass_says(file, DQ_ATTR_UNIT),
    };
    char *text = dq_nuke_read_text(&read);

    free(model);
    return text;
}

/* A file of this name that is none of ours is perhaps somebody's script. */
static int may_replace(const struct dq_pull *p, const char *path,
                       struct dq_err *err)
{
    struct dq_bytes is = {0};
    struct dq_err none = {0};
    struct stat st;
    int ours;

    if (p->wish->replace || lstat(path, &st) != 0)
        return DQ_OK;
    ours = S_ISREG(st.st_mode) &&
           !dq_bytes_read_file(&is, path, NUKE_LIMIT, DQ_EXISTS, &none) &&
           is.count >= sizeof DQ_NUKE_HEAD - 1 &&
           memcmp(is.data, DQ_NUKE_HEAD, sizeof DQ_NUKE_HEAD - 1) == 0;
    dq_bytes_free(&is);
    return ours ? DQ_OK
                : dq_fail(err, DQ_EXISTS,
                          "%s: is there and depthq pull did not write it; move "
                          "it, pull to another folder, or use --replace",
                          path);
}

char *dq_pull_write_nuke(const struct dq_pull *p, struct dq_err *err)
{
    struct dq_range done;
    struct dq_plate *file = NULL;
    char *path = NULL, *text;

    dq_pull_range(p, DQ_PULL_DONE, &done);
    for (size_t i = 0; !file && !err->code && i < p->count; i++)
        if (p->frames[i].state == DQ_PULL_DONE)
            file = dq_plate_open_header(p->frames[i].to, err);
    if (file) {
        char *tag = dq_asprintf("pull-%ld", (long)getpid());

        path = nuke_path(p->target);
        text = nuke_text(p, &done, file);
        if (!may_replace(p, path, err))
            dq_publish(path, text, strlen(text), tag, DQ_PUBLISH_REPLACE, NULL,
                       err);
        free(text);
        free(tag);
    }
    dq_plate_close(file);
    dq_range_free(&done);
    return path;
}
