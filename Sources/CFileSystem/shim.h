/* What glibc declares for _GNU_SOURCE only, so that Swift's module of it does not have it. */
#ifndef SIGNET_CFILESYSTEM_SHIM_H
#define SIGNET_CFILESYSTEM_SHIM_H

/* renameat2(2). */
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);

/* sync_file_range(2), with its only flag that is used here; offsets are 64-bit (off64_t). */
#define SYNC_FILE_RANGE_WRITE 2
int sync_file_range(int file, long long offset, long long byte_count, unsigned int flags);

#endif
