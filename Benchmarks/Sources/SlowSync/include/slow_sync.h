// Preloaded into a benchmark, makes every sync to the disk as slow as on another disk.
#ifndef SLOW_SYNC_H
#define SLOW_SYNC_H

// Microseconds that are added to every fsync and fdatasync; 0 at first.
extern volatile unsigned slow_sync_microseconds;

#endif
