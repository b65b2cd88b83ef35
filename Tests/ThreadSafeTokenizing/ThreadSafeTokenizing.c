#include "ThreadSafeTokenizing.h"

char *strtok(char *restrict text, const char *restrict delimiters) {
    static _Thread_local char *place;
    return strtok_r(text, delimiters, &place);
}
