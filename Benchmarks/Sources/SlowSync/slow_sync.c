#define _GNU_SOURCE
#include "slow_sync.h"

#include <dlfcn.h>
#include <unistd.h>

volatile unsigned slow_sync_microseconds = 0;

static int slowly(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (slow_sync_microseconds > 0) usleep(slow_sync_microseconds);
    return real(file);
}

int fsync(int file) { return slowly("fsync", file); }

int fdatasync(int file) { return slowly("fdatasync", file); }
