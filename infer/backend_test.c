#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "infer/backend.h"

enum { H = 3, W = 4, PLANE = H * W };

static const struct dq_device cpu = {.name = "cpu"};
static struct dq_model model = {
    .output_channels = 3, .depth_channel = 1, .sky_channel = 2};

static struct dq_net *open_fake(const char *json, struct dq_err *err)
{
    return dq_backend_fake.open(&model, json, strlen(json), &cpu, err);
}

static struct dq_net *net_of(const char *name, const char *more)
{
    struct dq_err err = {0};
    struct dq_net *net;
    char json[200];

    snprintf(json, sizeof json, "{\"depthq_fake\": 1, \"net\": \"%s\"%s}", name,
             more);
    net = open_fake(json, &err);
    if (!net)
        fail_msg("%s", err.text);
    return net;
}

static void fill(float *in, int n)
{
    for (int i = 0; i < n; i++)
        in[i] = (float)(i * 29 % 31) / 31 + 0.01F;
}

static int run(struct dq_net *net, const float *in, int batch, float *out,
               struct dq_err *err)
{
    dq_err_clear(err);
    return dq_backend_fake.run(net, in, batch, H, W, out, err);
}

static void backends_are_found_by_their_runtime(void **state)
{
    struct dq_err err = {0};

    (void)state;
    assert_ptr_equal(dq_backend_find("fake", &err), &dq_backend_fake);
#if DQ_TORCH
    assert_non_null(dq_backend_find("torchscript", &err));
#endif
}

static void the_execution_class_names_the_device(void **state)
{
    struct dq_device device = {.name = "cpu", .threads = 2};
    char text[100], cut[5];

    (void)state;
    dq_backend_execution_class(&device, text, sizeof text);
    assert_int_equal(strncmp(text, "cpu ", 4), 0);
    dq_backend_execution_class(&device, cut, sizeof cut);
    assert_string_equal(cut, "cpu ");
}

static void a_fake_is_described_strictly(void **state)
{
    static const char *const wrong[][2] = {
        {"{\"depthq_fake\": 2, \"net\": \"flat\"}", "2 is outside"},
        {"{\"net\": \"flat\"}", "depthq_fake: is missing"},
        {"{\"depthq_fake\": 1}", "net: is missing"},
        {"{\"depthq_fake\": 1, \"net\": \"flatt\"}", "no fake 'flatt'"},
        {"{\"depthq_fake\": 1, \"net\": \"flat\", \"slowms\": 1}",
         "unknown key 'slowms'"},
        {"{\"depthq_fake\": 1, \"net\": \"flat\", \"slow_ms\": -1}",
         "slow_ms: -1 is outside"},
        {"{\"depthq_fake\": 1, \"net\": \"nan\", \"when\": \"white\"}", "when"},
        {"{", "line 1"},
        {"[]", "depthq_fake: is missing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dq_err err = {0};

        assert_null(open_fake(wrong[i][0], &err));
        assert_int_equal(err.code, DQ_MODEL);
        if (!strstr(err.text, wrong[i][1]))
            fail_msg("'%s' says nothing of '%s'", err.text, wrong[i][1]);
    }
}

static void a_fake_runs_on_the_cpu_alone(void **state)
{
    static const char json[] = "{\"depthq_fake\": 1, \"net\": \"flat\"}";
    struct dq_device other = {.name = "cuda:0"};
    struct dq_err err = {0};

    (void)state;
    assert_null(
        dq_backend_fake.open(&model, json, sizeof json - 1, &other, &err));
    assert_int_equal(err.code, DQ_DEVICE);
    assert_non_null(strstr(err.text, "cuda:0"));
}

/* What each says of a batch of two, plane by plane. */
static float expected(const char *name, const float *picture, int i)
{
    if (strcmp(name, "luma") == 0)
        return (picture[i] + picture[PLANE + i] + picture[2 * PLANE + i]) / 3;
    if (strcmp(name, "ramp") == 0)
        return ((float)(i % W) + 0.5F) / W;
    return strcmp(name, "flat") == 0 ? 0.5F : picture[i];
}

static void fakes_answer_as_described(void **state)
{
    static const char *const names[] = {"identity", "luma", "ramp", "flat"};
    float in[6 * PLANE], out[6 * PLANE];
    struct dq_err err = {0};

    (void)state;
    fill(in, 6 * PLANE);
    for (size_t k = 0; k < 4; k++) {
        struct dq_net *net = net_of(names[k], "");

        memset(out, 255, sizeof out);
        assert_int_equal(run(net, in, 2, out, &err), 0);
        for (int b = 0; b < 2; b++)
            for (int i = 0; i < PLANE; i++) {
                const float *picture = in + b * 3 * PLANE;
                const float *planes = out + b * 3 * PLANE;

                assert_true(planes[i] == 0);
                assert_true(planes[PLANE + i] ==
                            expected(names[k], picture, i));
                assert_true(planes[2 * PLANE + i] == picture[2 * PLANE + i]);
            }
        dq_backend_fake.close(net);
    }
}

static void affine_draws_scale_and_shift_from_what_it_sees(void **state)
{
    struct dq_net *net = net_of("affine", "");
    float in[6 * PLANE], out[6 * PLANE], again[6 * PLANE], scale[2];
    struct dq_err err = {0};

    (void)state;
    fill(in, 6 * PLANE);
    assert_int_equal(run(net, in, 2, out, &err), 0);
    for (int b = 0; b < 2; b++) {
        const float *u = in + b * 3 * PLANE, *v = out + b * 3 * PLANE + PLANE;
        float shift;

        scale[b] = (v[1] - v[0]) / (u[1] - u[0]);
        shift = v[0] - scale[b] * u[0];
        assert_true(scale[b] > 0.33F && scale[b] < 3.01F);
        assert_true(fabsf(shift) < 0.51F);
        for (int i = 0; i < PLANE; i++)
            assert_true(fabsf(scale[b] * u[i] + shift - v[i]) < 1e-5F);
    }
    assert_true(fabsf(scale[0] - scale[1]) > 1e-3F);
    assert_int_equal(run(net, in, 2, again, &err), 0);
    assert_memory_equal(out, again, sizeof out);
    in[3 * PLANE - 1] +=
        1e-3F; /* one value of the first picture's last plane */
    assert_int_equal(run(net, in, 2, again, &err), 0);
    assert_memory_not_equal(out, again, sizeof out);
    dq_backend_fake.close(net);
}

static int count_not_finite(const float *v)
{
    int n = 0;

    for (int i = 0; i < 3 * PLANE; i++)
        n += !isfinite(v[i]);
    return n;
}

static void nan_and_inf_stand_in_one_value(void **state)
{
    float in[3 * PLANE], black[3 * PLANE] = {0}, out[3 * PLANE];
    struct dq_net *net = net_of("nan", ", \"when\": \"black\"");
    struct dq_err err = {0};

    (void)state;
    fill(in, 3 * PLANE);
    run(net, in, 1, out, &err);
    assert_int_equal(count_not_finite(out), 0);
    run(net, black, 1, out, &err);
    assert_int_equal(count_not_finite(out), 1);
    assert_true(isnan(out[PLANE + PLANE / 2]));
    dq_backend_fake.close(net);
    net = net_of("inf", ", \"after\": 1");
    run(net, in, 1, out, &err);
    assert_int_equal(count_not_finite(out), 0);
    run(net, in, 1, out, &err);
    assert_true(isinf(out[PLANE + PLANE / 2]));
    dq_backend_fake.close(net);
}

static void a_failure_may_wait_for_a_black_picture(void **state)
{
    float in[3 * PLANE], black[3 * PLANE] = {0}, out[3 * PLANE];
    struct dq_net *net = net_of("throw", ", \"when\": \"black\"");
    struct dq_err err = {0};

    (void)state;
    fill(in, 3 * PLANE);
    assert_int_equal(run(net, in, 1, out, &err), 0);
    assert_int_equal(run(net, black, 1, out, &err), DQ_ANSWER);
    dq_err_clear(&err);
    assert_int_equal(run(net, in, 1, out, &err), 0);
    dq_backend_fake.close(net);
}

static void failures_come_after_as_many_good_forwards_as_asked(void **state)
{
    static const struct {
        const char *name;
        int code;
    } bad[] = {{"throw", DQ_ANSWER}, {"wrong-shape", DQ_MODEL}};
    float in[3 * PLANE], out[3 * PLANE];
    struct dq_err err = {0};

    (void)state;
    fill(in, 3 * PLANE);
    for (int k = 0; k < 2; k++) {
        struct dq_net *net = net_of(bad[k].name, ", \"after\": 2");

        assert_int_equal(run(net, in, 1, out, &err), 0);
        assert_int_equal(run(net, in, 1, out, &err), 0);
        assert_int_equal(run(net, in, 1, out, &err), bad[k].code);
        dq_backend_fake.close(net);
    }
}

static void memory_is_short_for_larger_batches_alone(void **state)
{
    float in[9 * PLANE], out[9 * PLANE];
    struct dq_net *any = net_of("flat", ", \"memory_batch\": 2");
    struct dq_net *oom = net_of("oom", "");
    struct dq_err err = {0};

    (void)state;
    fill(in, 9 * PLANE);
    assert_int_equal(run(any, in, 3, out, &err), DQ_MEMORY);
    assert_int_equal(run(any, in, 2, out, &err), 0);
    assert_int_equal(run(oom, in, 2, out, &err), DQ_MEMORY);
    assert_int_equal(run(oom, in, 1, out, &err), 0);
    dq_backend_fake.close(any);
    dq_backend_fake.close(oom);
}

/* The signal that ended a child which ran a forward; 0: it lived. */
static int signal_of(const char *name)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        float in[3 * PLANE] = {0}, out[3 * PLANE];
        struct dq_err err = {0};

        signal(SIGABRT, SIG_DFL);
        run(net_of(name, ""), in, 1, out, &err);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void abort_and_crash_end_the_process(void **state)
{
    (void)state;
    assert_int_equal(signal_of("abort"), SIGABRT);
    assert_int_equal(signal_of("crash"), SIGSEGV);
    assert_int_equal(signal_of("identity"), 0);
}

/* Not how long, only that it waits at all. */
static void a_slow_one_takes_its_time(void **state)
{
    struct dq_net *net = net_of("identity", ", \"slow_ms\": 20");
    float in[3 * PLANE] = {0}, out[3 * PLANE];
    struct dq_err err = {0};
    double begun = dq_clock_s();

    (void)state;
    run(net, in, 1, out, &err);
    assert_true(dq_clock_s() - begun > 0.015);
    dq_backend_fake.close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_are_found_by_their_runtime),
        cmocka_unit_test(the_execution_class_names_the_device),
        cmocka_unit_test(a_fake_is_described_strictly),
        cmocka_unit_test(a_fake_runs_on_the_cpu_alone),
        cmocka_unit_test(fakes_answer_as_described),
        cmocka_unit_test(affine_draws_scale_and_shift_from_what_it_sees),
        cmocka_unit_test(nan_and_inf_stand_in_one_value),
        cmocka_unit_test(a_failure_may_wait_for_a_black_picture),
        cmocka_unit_test(failures_come_after_as_many_good_forwards_as_asked),
        cmocka_unit_test(memory_is_short_for_larger_batches_alone),
        cmocka_unit_test(abort_and_crash_end_the_process),
        cmocka_unit_test(a_slow_one_takes_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
