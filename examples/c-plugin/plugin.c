/*
 * A plugin in C with one task and one notifier. README.md tells how it is built and configured.
 */
#define _POSIX_C_SOURCE 200809L
#include <bansuri_plugin.h>

#include "options.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A path that starts at the task's working directory, for free(): the process is the host's, and is somewhere else. */
static char *resolve(const char *folder, const char *path)
{
    size_t size = strlen(folder) + strlen(path) + 2;
    char *whole = malloc(size);
    if (whole != NULL)
        snprintf(whole, size, "%s%s%s", *path == '/' ? "" : folder, *path == '/' ? "" : "/", path);
    return whole;
}

/* ---- FreshFile: waits until a file is there and was written to lately ------------------------------------------- */

struct fresh_file {
    char *path;
    double max_age; /* seconds */
};

static void *fresh_file_create(const bansuri_config *config, bansuri_error *error)
{
    struct fresh_file *task = malloc(sizeof *task);
    if (task == NULL || (task->path = option_text(config->options, "path")) == NULL) {
        bansuri_fail(error, "options.path: expected the path of a file");
        free(task);
        return NULL;
    }
    task->max_age = option_number(config->options, "max-age", 3600);
    return task;
}

static int32_t fresh_file_run(void *instance, const bansuri_context *context, int32_t *exit_code,
                              bansuri_error *error)
{
    const struct fresh_file *task = instance;
    const uint64_t moment = UINT64_C(200000000); /* nanoseconds */
    char *path = resolve(context->working_directory, task->path);
    char line[256];
    int found = 0;
    if (path == NULL)
        return bansuri_fail(error, "no memory");
    do {
        struct stat status;
        double age;
        if (stat(path, &status) != 0) {
            if (errno == ENOENT)
                continue;
            bansuri_fail(error, "%s: %s", path, strerror(errno));
            free(path);
            return BANSURI_FAILED;
        }
        age = difftime(time(NULL), status.st_mtime);
        found = age <= task->max_age;
        snprintf(line, sizeof line, "%.0f s old", age);
        bansuri_progress(context, found, line);
    } while (!found && !bansuri_wait_for_stop(context, moment));
    free(path);

    /* What a task writes is treated as a command's output is; what it logs comes out in the host's log. */
    snprintf(line, sizeof line, "%s is %s\n", task->path, found ? "fresh" : "missing or too old");
    bansuri_write(context, BANSURI_STDOUT, line, strlen(line));
    bansuri_log_write(context->log, BANSURI_LOG_DEBUG, line);
    *exit_code = found ? 0 : 1;
    return BANSURI_OK;
}

static void fresh_file_close(void *instance)
{
    struct fresh_file *task = instance;
    free(task->path);
    free(task);
}

/* wait_for_stop() returns early when the run has to end: there is nothing to do in `stop`. */
static const bansuri_task fresh_file = {
    .size = sizeof fresh_file,
    .name = "FreshFile",
    .description = "waits until a file is there and was written to lately",
    .options_schema = "{\"type\": \"object\", \"required\": [\"path\"], \"additionalProperties\": false, \"properties\": {"
                      "\"path\": {\"type\": \"string\"}, \"max-age\": {\"type\": \"number\", \"minimum\": 0}}}",
    .create = fresh_file_create,
    .run = fresh_file_run,
    .close = fresh_file_close,
};

/* ---- Journal: appends a line for every failure to a file -------------------------------------------------------- */

static void *journal_create(const bansuri_config *config, bansuri_error *error)
{
    char *path = option_text(config->options, "path");
    if (path == NULL)
        bansuri_fail(error, "options.path: expected the path of a file");
    return path;
}

static int32_t journal_notify(void *instance, const bansuri_failure *failure, bansuri_error *error)
{
    char *path = resolve(failure->working_directory, instance);
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    free(path);
    if (file == NULL)
        return bansuri_fail(error, "%s: %s", (const char *)instance, strerror(errno));
    /* One call writes the line as a whole: other tasks may fail at the same time. */
    fprintf(file, "%lld %s %s: %s\n", (long long)failure->timestamp_seconds, failure->run_id, failure->outcome,
            failure->reason);
    if (fclose(file) != 0)
        return bansuri_fail(error, "%s: %s", (const char *)instance, strerror(errno));
    return BANSURI_OK;
}

static const bansuri_notifier journal = {
    .size = sizeof journal,
    .name = "Journal",
    .description = "appends a line for every failure to a file",
    .options_schema = "{\"type\": \"object\", \"required\": [\"path\"], \"additionalProperties\": false, \"properties\": {"
                      "\"path\": {\"type\": \"string\"}}}",
    .create = journal_create,
    .notify = journal_notify,
    .close = free,
};

/* ---- What the library exports ----------------------------------------------------------------------------------- */

static const bansuri_task *const tasks[] = {&fresh_file};
static const bansuri_notifier *const notifiers[] = {&journal};
static const bansuri_exports exports = {
    .size = sizeof exports,
    .version = BANSURI_PLUGIN_VERSION,
    .revision = BANSURI_PLUGIN_REVISION,
    .tasks = tasks,
    .task_count = COUNT(tasks),
    .notifiers = notifiers,
    .notifier_count = COUNT(notifiers),
};

const bansuri_exports *bansuri_plugin(void)
{
    return &exports;
}
