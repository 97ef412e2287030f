#include "base/testing.h"

#include "cli/job_text.h"

static const char job_json[] =
    "{\"id\": 12, \"name\": \"sh010\\u001b[2J\", \"uid\": 4294967294,"
    " \"priority\": 50, \"file\": \"/j/s.yaml\", \"output\": \"/d/d.####.exr\","
    " \"frames\": \"1-9\", \"retries\": 3, \"submitted\": \"2026-11-25\","
    " \"finished\": null, \"after\": null, \"phase\": \"render\","
    " \"scans\": null,"
    " \"state\": \"active\", \"reason\": null, \"error\": null,"
    " \"counts\": {\"waiting\": 0, \"ready\": 2, \"running\": 1, \"retry\": 0,"
    "  \"blocked\": 0, \"done\": 2, \"failed\": 3, \"skipped\": 1,"
    "  \"eaten\": 0, \"canceled\": 0},"
    " \"model\": {\"name\": \"net\", \"version\": \"1\","
    "  \"sha256\": \"0123456789abcdef\"}}";

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, 0, &error);

    assert_non_null(value);
    return value;
}

static void frames_are_counted_in_all_and_settled(void **state)
{
    json_t *job = parse(job_json);
    char *counts = dq_job_counts_text(job);

    (void)state;
    assert_int_equal(dq_job_frames(job), 9);
    assert_int_equal(dq_job_settled(job), 6);
    assert_string_equal(counts,
                        "done 2, skipped 1, failed 3, running 1, ready 2");
    free(counts);
    json_decref(job);
}

static void jobs_are_a_line_each(void **state)
{
    json_t *job = parse(job_json), *jobs = json_pack("[O]", job);
    char *text = dq_jobs_text(jobs);

    (void)state;
    assert_string_equal(
        text, "JOB  NAME       PRIO  USER        STATE   FRAMES  FAILED  WHY\n"
              " 12  sh010?[2J    50  4294967294  active     6/9       3\n");
    free(text);
    json_decref(jobs);
    json_decref(job);
}

/* The job with another word for "render", and scans. */
static json_t *in_phase(const char *phase, const char *scans)
{
    json_t *job = parse(job_json);

    json_object_set_new(job, "phase", json_string(phase));
    json_object_set_new(job, "scans", parse(scans));
    return job;
}

static void a_job_before_its_frames_says_what_it_does(void **state)
{
    static const char some[] = "{\"all\": 9, \"settled\": 4, \"failed\": 1}";
    json_t *job = in_phase("scan", some), *jobs = json_pack("[O]", job);
    char *list = dq_jobs_text(jobs), *one = dq_job_text(job, NULL);

    (void)state;
    assert_non_null(strstr(list, " active     6/9       3  scan 4/9\n"));
    assert_non_null(
        strstr(one, "phase      scan\nscans      4 of 9, failed 1"));
    free(one);
    free(list);
    json_decref(jobs);
    json_decref(job);
    job = in_phase("solve", some);
    one = dq_job_phase_text(job);
    assert_string_equal(one, "solve");
    free(one);
    json_decref(job);
    job = parse(job_json);
    json_object_set_new(job, "state", json_string("done"));
    one = dq_job_text(job, NULL);
    assert_null(strstr(one, "phase"));
    assert_null(strstr(one, "scans"));
    free(one);
    json_decref(job);
}

static void failed_frames_are_told_by_their_cause(void **state)
{
    json_t *job = parse(job_json);
    json_t *failed =
        parse("[{\"frame\": 3, \"error\": {\"code\": \"PLATE\", \"message\":"
              " \"p.3.exr: cut off\"}},"
              " {\"frame\": 4, \"error\": {\"code\": \"MISSING\", \"message\":"
              " \"p.4.exr: no such file\"}},"
              " {\"frame\": 5, \"error\": {\"code\": \"PLATE\", \"message\":"
              " \"p.5.exr: cut off\"}}]");
    char *text = dq_job_text(job, failed);

    (void)state;
    assert_non_null(strstr(text, "failed     3,5: p.3.exr: cut off\n"));
    assert_non_null(strstr(text, "failed     4: p.4.exr: no such file\n"));
    assert_null(strstr(text, "p.5.exr"));
    assert_non_null(strstr(text, "model      net@1 (0123456789ab)\n"));
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "finished"));
    free(text);
    json_decref(failed);
    json_decref(job);
}

static void frames_are_told_with_their_remarks(void **state)
{
    json_t *frames = parse(
        "[{\"frame\": 1001, \"state\": \"done\", \"attempt\": 1, \"seconds\":"
        " 1.25, \"suspect\": \"flat\", \"error\": null},"
        " {\"frame\": 1002, \"state\": \"failed\", \"attempt\": 3,"
        " \"seconds\": null, \"suspect\": null, \"error\": {\"code\": \"IO\","
        " \"message\": \"no\"}}]");
    char *text = dq_frames_text(frames);

    (void)state;
    assert_string_equal(text, "FRAME  STATE   ATTEMPT  SECONDS  REMARKS\n"
                              " 1001  done          1     1.25  flat\n"
                              " 1002  failed        3           no\n");
    free(text);
    json_decref(frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_counted_in_all_and_settled),
        cmocka_unit_test(jobs_are_a_line_each),
        cmocka_unit_test(a_job_before_its_frames_says_what_it_does),
        cmocka_unit_test(failed_frames_are_told_by_their_cause),
        cmocka_unit_test(frames_are_told_with_their_remarks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
