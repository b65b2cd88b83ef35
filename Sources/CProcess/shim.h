/* prctl(2) has a variable number of arguments, which Swift does not call. */
#ifndef SIGNET_CPROCESS_SHIM_H
#define SIGNET_CPROCESS_SHIM_H

#include <sys/prctl.h>

static inline int signet_set_dumpable(int is_dumpable) { return prctl(PR_SET_DUMPABLE, is_dumpable, 0, 0, 0); }
static inline int signet_get_dumpable(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); }

#endif
