# Passes the test runner's output on, and says what failed once more before the closing line, which stays the last one.
/Test run with [0-9]+ tests/ { closing = $0; next }
{ print; fflush() }
/^✘/ { failures = failures $0 "\n"; follows = 1; next }
/^↳/ { if (follows) failures = failures $0 "\n"; next }
{ follows = 0 }
END {
    if (failures != "") printf "\nWhat failed:\n%s", failures
    if (closing != "") print closing
}
