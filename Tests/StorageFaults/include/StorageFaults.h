/// Faults of the disk and of the power supply, for a program that links this in: it counts the statements that SQLite
/// runs, and the writes and syncs of files below one directory, and at a given number lets one fail or ends the program.
///
/// The functions of libsqlite3 and of the C library that are concerned are defined anew here, in front of their own
/// (dlsym(3), RTLD_NEXT). Nothing changes until a fault is ordered.
#ifndef STORAGE_FAULTS_H
#define STORAGE_FAULTS_H

/// What is counted.
enum storage_fault_place {
    /// A statement that SQLite begins to run.
    STORAGE_FAULT_STATEMENT = 1,
    /// write, pwrite, ftruncate, rename, fsync and fdatasync.
    STORAGE_FAULT_WRITE = 2,
};

/// What happens at the ordered number.
enum storage_fault_effect {
    /// SIGKILL in place of the call.
    STORAGE_FAULT_KILL_BEFORE = 1,
    /// SIGKILL after the call has done its work. For a statement: after its first row, or its end.
    STORAGE_FAULT_KILL_AFTER = 2,
    /// The call fails, once.
    STORAGE_FAULT_FAIL_ONCE = 3,
    /// This call fails and every later one.
    STORAGE_FAULT_FAIL_ALWAYS = 4,
};

/// Orders a fault and begins to count at 1.
///
/// - number: which call; 0 only counts.
/// - error: the errno of a failing call, such as EIO.
/// - directory: absolute, without links and without a slash at its end. Writes elsewhere are not counted.
void storage_fault_order(int place, int effect, long number, int error, const char *directory);

/// Ends the fault. Returns how many calls were counted since it was ordered.
long storage_fault_end(void);

#endif
