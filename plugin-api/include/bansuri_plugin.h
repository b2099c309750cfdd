/*
 * Bansuri plugins in C, and in whatever can speak C: C++, Zig, Go.
 *
 * A plugin is a shared library that exports one function, bansuri_plugin(). It returns a list of task types and
 * notifier types. The host makes instances of them as its configuration says, and calls their functions. README.md
 * beside this file shows the whole of a small plugin and how it is built.
 *
 * Rules that hold everywhere:
 *
 *   Texts      are UTF-8 and end with a NUL. What the host gives has no NUL inside: one that was there is given as
 *              U+FFFD. In what a plugin gives, whatever is not UTF-8 is replaced by U+FFFD, except in the names,
 *              descriptions and schemas of its types, where it makes the host refuse the library. NULL as a text is
 *              the empty one.
 *   Ownership  Nothing is handed over, either way. Whoever made a thing frees it, and each thing below says until
 *              when it can be used. The host copies what it wants to keep of what it is given.
 *   Threads    The host calls a plugin on threads of its own, and each function below says which. The functions that
 *              the host gives may be called on any thread, and on several at once.
 *   Ends       No function of a plugin may be left by a C++ exception, by longjmp, or by ending its thread; exit()
 *              and abort() end the process they are called in, which is the host's unless the task has "isolation":
 *              "process".
 *   Unloading  A library stays loaded until the process ends.
 *   Growth     Every struct begins with its own size as whoever filled it knew it. New members are only ever added at
 *              the end. What is beyond the size is not there: the host takes a member that a plugin does not know for
 *              zero, and a plugin asks with BANSURI_HAS before it uses a member that came after version 1, revision
 *              0. A change that this cannot carry makes a new BANSURI_PLUGIN_VERSION. Numbers that name kinds may
 *              become more.
 *
 * Valid as C99 and as C++. Dual licensed: MIT OR Apache-2.0.
 */
#ifndef BANSURI_PLUGIN_H
#define BANSURI_PLUGIN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The host refuses a library of another version. */
#define BANSURI_PLUGIN_VERSION 1u
/* Grows with every member that is added; said by `bansuri plugin inspect`, and otherwise of no consequence. */
#define BANSURI_PLUGIN_REVISION 0u

/* What functions that can fail return. Any other number is a failure too. */
#define BANSURI_OK 0
#define BANSURI_FAILED 1
/* Output came after the end of the run, and was dropped. */
#define BANSURI_ENDED 2

/* Levels of the log. A number that is no level counts as BANSURI_LOG_TRACE. */
#define BANSURI_LOG_ERROR 1u
#define BANSURI_LOG_WARN 2u
#define BANSURI_LOG_INFO 3u
#define BANSURI_LOG_DEBUG 4u
#define BANSURI_LOG_TRACE 5u

/* Output streams. An unknown number counts as standard output. */
#define BANSURI_STDOUT 1u
#define BANSURI_STDERR 2u

/* The task has no timeout. */
#define BANSURI_NO_TIMEOUT INT64_C(-1)
/* No end to a wait. */
#define BANSURI_FOREVER UINT64_MAX

/* Whether a struct that was filled by the other side has this member. */
#define BANSURI_HAS(type, object, member) \
    (offsetof(type, member) + sizeof((object)->member) <= (object)->size)

/* ---- What the host gives ----------------------------------------------------------------------------------------- */

/*
 * Where a plugin says why it failed: the host's buffer, which begins empty. The text ends at its first NUL or with the
 * buffer. Used only during the call that it was given to, on that thread. bansuri_fail() writes it.
 */
typedef struct bansuri_error {
    size_t size;
    /* For `capacity` bytes, the NUL included; at least 256. */
    char *message;
    size_t capacity;
} bansuri_error;

/*
 * The host's log, under one name. Whoever gives it says until when it can be used.
 * bansuri_log_level() and bansuri_log_write() call its functions.
 */
typedef struct bansuri_log bansuri_log;
struct bansuri_log {
    size_t size;
    /* The most detailed level that is written; 0: none. */
    uint32_t (*level)(const bansuri_log *log);
    /* Writes a record for each line of the message. */
    void (*write)(const bansuri_log *log, uint32_t level, const char *message);
};

/*
 * The configuration of one instance. It and its texts can be used during the call of `create` that it was given to.
 */
typedef struct bansuri_config {
    size_t size;
    /* The task's or notifier's name in scripts.json. */
    const char *name;
    /* Its options: valid JSON, one object, {} where there are none. */
    const char *options;
    /* The log under that name. Can be used until the `close` of the instance has returned, or until a `create` that
     * returns NULL has. */
    const bansuri_log *log;
} bansuri_config;

/* A variable of an environment. A pair of texts: it will not grow. */
typedef struct bansuri_variable {
    const char *name;
    const char *value;
} bansuri_variable;

/*
 * One run of a task and its host. Given to `run`.
 *
 * It, its texts, its variables and its log can be used until `close` of the instance has returned (until `run` has,
 * where the type has no `close`). A thread that may outlive that takes a hold of it first, with bansuri_retain(), on
 * a thread that may still use it, and lets go with bansuri_release(): it then stays whole for as long as it is held.
 * A call that is in progress holds it as well. After the end of the run a context that is still held does no harm: it
 * says that the run is to stop, no time is left, output is dropped with BANSURI_ENDED.
 *
 * The functions bansuri_…() at the end of this file call its functions.
 */
typedef struct bansuri_context bansuri_context;
struct bansuri_context {
    size_t size;
    /* The task's name. */
    const char *name;
    /* NAME#NUMBER, unique in the life of the host. */
    const char *run_id;
    /* The task's working directory, absolute: the bytes of the path, which need not be UTF-8 on Unix. The process is
     * the host's and is somewhere else: resolve relative paths against this one. */
    const char *working_directory;
    /* The task's `environment`, and BANSURI_TASK, BANSURI_RUN and BANSURI_ATTEMPT: what a command would find added to
     * the environment of the host. In the order of their names. */
    const bansuri_variable *variables;
    size_t variable_count;
    /* The log under the task's name. */
    const bansuri_log *log;

    /* Takes a hold of the context. */
    void (*retain)(const bansuri_context *context);
    /* Lets go of it. One that was not taken is reported in the log and changes nothing. */
    void (*release)(const bansuri_context *context);

    /* What is left of the task's timeout in nanoseconds, 0 when it has passed, or BANSURI_NO_TIMEOUT. */
    int64_t (*time_left)(const bansuri_context *context);

    /* Takes all of the bytes, in the order of the calls: what one call writes stays together. BANSURI_OK, BANSURI_ENDED
     * or BANSURI_FAILED. May wait for the file they go to. */
    int32_t (*write)(const bansuri_context *context, uint32_t stream, const void *bytes, size_t length);

    /* Says how far the run has come, from 0 to 1, and what it is at. */
    void (*progress)(const bansuri_context *context, double fraction, const char *text);

    /* 1 once the run has been asked to stop, 0 before. */
    int32_t (*is_stopping)(const bansuri_context *context);

    /* Waits until the run is asked to stop, at most this long; 1 if it has been, 0 if not. The way to pause. */
    int32_t (*wait_for_stop)(const bansuri_context *context, uint64_t nanoseconds);

    /* Which execution in a row this is: counts from 1, and a success resets it. */
    uint32_t attempt;
    uint32_t reserved;
};

/*
 * One failure of one task. It and its texts can be used during the call of `notify` that it was given to.
 */
typedef struct bansuri_failure {
    size_t size;
    const char *task_name;
    /* The command as written in scripts.json. */
    const char *command;
    /* Absolute: the bytes of the path. */
    const char *working_directory;
    /* FAILED or TIMED_OUT; later versions may know more. */
    const char *outcome;
    /* Why, in words: exit code 1. */
    const char *reason;
    /* The task's description; may be empty. */
    const char *description;
    /* NAME#NUMBER. */
    const char *run_id;
    /* The machine. */
    const char *host_name;
    /* The last 64 KiB of standard output: any bytes, NULs among them. One more NUL follows. */
    const char *stdout_tail;
    size_t stdout_length;
    /* The same of standard error; empty where that went to standard output. */
    const char *stderr_tail;
    size_t stderr_length;
    /* Later failures of the task that were folded into this one because too many waited to be told; mostly 0. */
    uint64_t folded;
    /* When the run ended, since 1970-01-01T00:00:00Z. */
    int64_t timestamp_seconds;
    uint32_t timestamp_nanoseconds;
    /* 128 + N for signal N, -1 where the run has none. */
    int32_t return_code;
    /* Counts from 1. */
    uint32_t attempt;
    /* 0: no limit. */
    uint32_t max_attempts;
} bansuri_failure;

/* ---- What a plugin gives ----------------------------------------------------------------------------------------- */

/* All of what follows, with its texts, stays as it is from the return of bansuri_plugin() until the process ends. */

/*
 * A task type. Every run gets an instance of its own: `create`, `run` and `close` are called once each, in this order,
 * on the thread of that run.
 */
typedef struct bansuri_task {
    size_t size;
    /* What follows the colon in LIBRARY:Type: letters, digits and _, no digit first. Unique among the library's
     * tasks. */
    const char *name;
    /* One line for people. May be NULL. */
    const char *description;
    /* A JSON Schema for the options, as text. May be NULL. */
    const char *options_schema;

    /* Makes an instance and returns it: any pointer but NULL, which the host does not look at and passes to the
     * functions below. NULL is a failure, which `error` may explain: the run is FAILED, and nothing else is called
     * for it. May be missing (NULL): the type has no state, and the instance is NULL. */
    void *(*create)(const bansuri_config *config, bansuri_error *error);

    /* Does the work. BANSURI_OK: the run ended with `*exit_code`, which is 0 until it is set; 0 is success unless
     * success-codes in scripts.json say otherwise. Anything else: the run is FAILED, for the reason in `error`.
     * It should come to an end soon once the context says that the run is to stop: a thread cannot be killed.
     * `exit_code` can be used during this call. Never missing. */
    int32_t (*run)(void *instance, const bansuri_context *context, int32_t *exit_code, bansuri_error *error);

    /* Called at most once, on another thread, when the run has to end: just after the context turned to say so, and
     * perhaps when `run` has begun not yet, or returned already, but never when `close` has been called. The run lasts
     * until this has returned as well. Needed only by a `run` that waits for something else than its context.
     * May be missing. */
    void (*stop)(void *instance);

    /* Frees the instance, when `run` and `stop` have returned. May be missing. */
    void (*close)(void *instance);
} bansuri_task;

/*
 * A notifier type. The host keeps an instance for as long as it can be used; it may end without having closed it.
 */
typedef struct bansuri_notifier {
    size_t size;
    /* As a task's. Unique among the library's notifiers. */
    const char *name;
    /* One line for people. May be NULL. */
    const char *description;
    /* A JSON Schema for the options, as text. May be NULL. */
    const char *options_schema;

    /* As a task's, on any thread. NULL is a failed notification; the next one tries anew. */
    void *(*create)(const bansuri_config *config, bansuri_error *error);

    /* Delivers one failure: BANSURI_OK, or anything else and the reason in `error`, which is logged and counted. Called
     * on any thread, for several tasks at once, and at most once at a time for one task. Never missing. */
    int32_t (*notify)(void *instance, const bansuri_failure *failure, bansuri_error *error);

    /* Frees the instance when no `notify` is in progress any more. On any thread. May be missing. */
    void (*close)(void *instance);
} bansuri_notifier;

/*
 * All that a library exports: at least one type.
 */
typedef struct bansuri_exports {
    size_t size;
    /* BANSURI_PLUGIN_VERSION and BANSURI_PLUGIN_REVISION. */
    uint32_t version;
    uint32_t revision;
    /* As many pointers as the counts say; NULL where that is 0. */
    const bansuri_task *const *tasks;
    size_t task_count;
    const bansuri_notifier *const *notifiers;
    size_t notifier_count;
    /* Called once, after bansuri_plugin() and before anything else, on the same thread. The log is under the library's
     * name and can be used until the process ends, on threads that are in no call of the host's too. May be missing. */
    void (*attach)(const bansuri_log *log);
} bansuri_exports;

#if defined(_WIN32)
#define BANSURI_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define BANSURI_EXPORT __attribute__((visibility("default")))
#else
#define BANSURI_EXPORT
#endif

/*
 * The one function of a plugin that the host looks for. Called once, right after the library was loaded, on any thread,
 * by `bansuri check` and `bansuri plugin inspect` as well: it should do nothing but return what is there.
 */
BANSURI_EXPORT const bansuri_exports *bansuri_plugin(void);

/* ---- Calling the host -------------------------------------------------------------------------------------------- */

#if defined(__GNUC__)
#define BANSURI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define BANSURI_PRINTF(text, first)
#endif

/* Says why, as printf does, and returns BANSURI_FAILED. Best a lowercase fragment that names the thing. */
static inline BANSURI_PRINTF(2, 3) int32_t bansuri_fail(bansuri_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, error->capacity, format, arguments);
    va_end(arguments);
    return BANSURI_FAILED;
}

static inline uint32_t bansuri_log_level(const bansuri_log *log)
{
    return log->level(log);
}

static inline void bansuri_log_write(const bansuri_log *log, uint32_t level, const char *message)
{
    log->write(log, level, message);
}

static inline void bansuri_retain(const bansuri_context *context)
{
    context->retain(context);
}

static inline void bansuri_release(const bansuri_context *context)
{
    context->release(context);
}

static inline int64_t bansuri_time_left(const bansuri_context *context)
{
    return context->time_left(context);
}

static inline int32_t bansuri_write(const bansuri_context *context, uint32_t stream, const void *bytes, size_t length)
{
    return context->write(context, stream, bytes, length);
}

static inline void bansuri_progress(const bansuri_context *context, double fraction, const char *text)
{
    context->progress(context, fraction, text);
}

static inline int32_t bansuri_is_stopping(const bansuri_context *context)
{
    return context->is_stopping(context);
}

static inline int32_t bansuri_wait_for_stop(const bansuri_context *context, uint64_t nanoseconds)
{
    return context->wait_for_stop(context, nanoseconds);
}

#ifdef __cplusplus
}
#endif

#endif
