/// `strtok` with a place of its own for each thread, for the program that runs the tests.
///
/// SoftHSM 2.6.1 reads its configuration with `strtok` in each `C_Initialize`. The C library keeps one place for all of a
/// process, so that two copies of the module which initialise at the same time, as tests beside one another do in set-up
/// and in recoveries, can get each other's token directory. A definition in the program goes before the C library's, for
/// modules that are loaded later as well (dlsym(3), RTLD_DEFAULT). The programs of Signet do not have it.
#ifndef THREAD_SAFE_TOKENIZING_H
#define THREAD_SAFE_TOKENIZING_H

#include <string.h>

#endif
