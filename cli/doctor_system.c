/* What the system grants. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/doctor.h"

/* ---- limits --------------------------------------------------------------*/

/* Clients, workers, the database and their pipes. */
enum { FILES_LEAST = 256 };

static int look_at_files(struct dq_doctor *d)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_LEAST)
        return 0;
    dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "limits",
                  "ulimit -n 4096 before depthqd (LimitNOFILE= in a unit)",
                  "a process may open only %llu files",
                  (unsigned long long)limit.rlim_cur);
    return 1;
}

static int look_at_sizes(struct dq_doctor *d)
{
    struct rlimit limit;
    char size[16];

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    dq_size_text((double)limit.rlim_cur, size);
    dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "limits", "ulimit -f unlimited",
                  "no file may become larger than %s", size);
    return 1;
}

void dq_doctor_limits(struct dq_doctor *d)
{
    if (look_at_files(d) + look_at_sizes(d) == 0)
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "limits", NULL,
                      "files enough may be open, and of any size");
}

/* ---- clock ---------------------------------------------------------------*/

enum { CLOCK_ERROR_S = 60 };

/* Plates that are still being copied are known by their age. */
void dq_doctor_clock(struct dq_doctor *d)
{
    struct stat st;
    char utc[32];
    time_t now = time(NULL);
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(utc, sizeof utc, "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (stat("/proc/self/exe", &st) == 0 && st.st_mtime > now + CLOCK_ERROR_S)
        dq_doctor_say(d, DQ_DOCTOR_WARN, DQ_OK, "clock",
                      "set it (timedatectl set-ntp true)",
                      "it is %s, before this very program was installed", utc);
    else
        dq_doctor_say(d, DQ_DOCTOR_OK, DQ_OK, "clock", NULL, "it is %s", utc);
}

/* ---- systemd -------------------------------------------------------------*/

#define UNIT_PATH                                             \
    "/etc/systemd/system:/run/systemd/system:/usr/local/lib/" \
    "systemd/system:/usr/lib/systemd/system:/lib/systemd/system"

/* SYSTEMD_UNIT_PATH is systemd's own (systemd.unit(5)). */
char *dq_doctor_unit(void)
{
    const char *said = getenv("SYSTEMD_UNIT_PATH");
    const char *at = said && *said ? said : UNIT_PATH;

    while (*at) {
        size_t bytes = strcspn(at, ":");
        char *unit = dq_asprintf("%.*s/depthqd.service", (int)bytes, at);

        if (access(unit, F_OK) == 0)
            return unit;
        free(unit);
        at += bytes + (at[bytes] == ':');
    }
    return NULL;
}

void dq_doctor_service(struct dq_doctor *d)
{
    char *unit = dq_doctor_unit();

    if (unit)
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "service", NULL,
                      "systemd knows depthqd: %s", unit);
    else
        dq_doctor_say(d, DQ_DOCTOR_NOTE, DQ_OK, "service",
                      "make install brings a unit",
                      "no systemd unit: depthqd is started by hand");
    free(unit);
}
