/* What glibc declares for _GNU_SOURCE only, so that Swift's module of it does not have it. */
#ifndef SIGNET_CFILESYSTEM_SHIM_H
#define SIGNET_CFILESYSTEM_SHIM_H

/* renameat2(2). */
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);

#endif
