#define _GNU_SOURCE
#include "StorageFaults.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

// Set before `ordered` and not changed while it is true.
static int place, effect, error_number;
static long wanted;
static char directory[PATH_MAX];
static atomic_long counted;
static atomic_bool ordered;

void storage_fault_order(int new_place, int new_effect, long number, int error, const char *new_directory) {
    atomic_store(&ordered, 0);
    place = new_place;
    effect = new_effect;
    wanted = number;
    error_number = error;
    snprintf(directory, sizeof directory, "%s/", new_directory);
    atomic_store(&counted, 0);
    atomic_store(&ordered, 1);
}

long storage_fault_end(void) {
    atomic_store(&ordered, 0);
    return atomic_load(&counted);
}

static void end_program(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/// The next function of the same name: libsqlite3's, or the C library's.
static void *next(const char *name, _Atomic(void *) *known) {
    void *function = atomic_load(known);
    if (function) return function;
    function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    atomic_store(known, function);
    return function;
}

#define NEXT(name)                              \
    static _Atomic(void *) known;               \
    __typeof__(&name) real = (__typeof__(&name))next(#name, &known)

enum verdict { GO_ON, FAIL, KILL_AFTER };

/// Counts a call that is concerned.
static enum verdict meet(void) {
    long number = atomic_fetch_add(&counted, 1) + 1;
    if (wanted == 0 || number < wanted) return GO_ON;
    switch (effect) {
    case STORAGE_FAULT_FAIL_ALWAYS: return FAIL;
    case STORAGE_FAULT_FAIL_ONCE: return number == wanted ? FAIL : GO_ON;
    case STORAGE_FAULT_KILL_BEFORE:
        if (number == wanted) end_program();
        return GO_ON;
    default: return number == wanted ? KILL_AFTER : GO_ON;
    }
}

static enum verdict meet_path(const char *path) {
    if (!atomic_load(&ordered) || place != STORAGE_FAULT_WRITE) return GO_ON;
    return strncmp(path, directory, strlen(directory)) == 0 ? meet() : GO_ON;
}

static enum verdict meet_file(int descriptor) {
    if (!atomic_load(&ordered) || place != STORAGE_FAULT_WRITE) return GO_ON;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return GO_ON;
    path[length] = 0;
    return meet_path(path);
}

#define CALL(result, verdict_of, call)          \
    enum verdict verdict = verdict_of;          \
    if (verdict == FAIL) {                      \
        errno = error_number;                   \
        return -1;                              \
    }                                           \
    result = call;                              \
    if (verdict == KILL_AFTER) end_program()

typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_stmt_busy(sqlite3_stmt *);
int sqlite3_step(sqlite3_stmt *);

ssize_t write(int file, const void *bytes, size_t count) {
    NEXT(write);
    ssize_t result;
    CALL(result, meet_file(file), real(file, bytes, count));
    return result;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    NEXT(pwrite64);
    ssize_t result;
    CALL(result, meet_file(file), real(file, bytes, count, offset));
    return result;
}

int ftruncate64(int file, off64_t length) {
    NEXT(ftruncate64);
    int result;
    CALL(result, meet_file(file), real(file, length));
    return result;
}

int fsync(int file) {
    NEXT(fsync);
    int result;
    CALL(result, meet_file(file), real(file));
    return result;
}

int fdatasync(int file) {
    NEXT(fdatasync);
    int result;
    CALL(result, meet_file(file), real(file));
    return result;
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    int result;
    CALL(result, meet_path(to), real(from, to));
    return result;
}

int sqlite3_step(sqlite3_stmt *statement) {
    NEXT(sqlite3_step);
    enum verdict verdict = GO_ON;
    if (atomic_load(&ordered) && place == STORAGE_FAULT_STATEMENT && !sqlite3_stmt_busy(statement)) verdict = meet();
    int result = real(statement);
    if (verdict == KILL_AFTER) end_program();
    return result;
}
