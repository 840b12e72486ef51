/* Lets the n-th call of one kind fail, among those that touch files below a folder.
 *
 * To be preloaded. The folder is FAILING_BELOW. The file named by FAILING_CALLS holds numbers that
 * all processes share: which kind fails (-1: none), at which call, how (an errno; 0: half of a
 * write is done, and told so), and for each kind how many there have been.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { SYNC, NAME, WRITE, KINDS };

struct numbers {
    _Atomic long kind, call, error, count[KINDS];
};

static struct numbers *numbers;
static const char *below;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAILING_CALLS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    below = getenv("FAILING_BELOW");
    if (file < 0 || !below)
        return;
    void *mapped = mmap(NULL, sizeof(struct numbers), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        numbers = mapped;
}

static int fails(int kind, const char *path) {
    if (!numbers || strncmp(path, below, strlen(below)))
        return 0;
    long call = atomic_fetch_add(&numbers->count[kind], 1) + 1;
    return atomic_load(&numbers->kind) == kind && atomic_load(&numbers->call) == call;
}

static int fails_file(int kind, int file) {
    char name[32], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t size = numbers ? readlink(name, path, sizeof path - 1) : -1;
    path[size > 0 ? size : 0] = 0;
    return fails(kind, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FAILS(result, name, parameters, where, ...) \
    result name parameters {                        \
        if (where) {                                \
            errno = (int)numbers->error;            \
            return -1;                              \
        }                                           \
        return NEXT(name)(__VA_ARGS__);             \
    }

FAILS(int, fsync, (int file), fails_file(SYNC, file), file)
FAILS(int, fdatasync, (int file), fails_file(SYNC, file), file)
FAILS(int, rename, (const char *from, const char *to), fails(NAME, to), from, to)
FAILS(int, link, (const char *from, const char *to), fails(NAME, to), from, to)

#define WRITES(name, parameters, ...)                       \
    ssize_t name parameters {                               \
        if (fails_file(WRITE, file)) {                      \
            if (numbers->error) {                           \
                errno = (int)numbers->error;                \
                return -1;                                  \
            }                                               \
            size = size > 1 ? size / 2 : size;              \
        }                                                   \
        return NEXT(name)(__VA_ARGS__);                     \
    }

WRITES(write, (int file, const void *data, size_t size), file, data, size)
WRITES(pwrite64, (int file, const void *data, size_t size, off64_t at), file, data, size, at)
WRITES(copy_file_range, (int source, off64_t *a, int file, off64_t *b, size_t size, unsigned flags), source, a, file, b, size, flags)
WRITES(sendfile64, (int file, int source, off64_t *at, size_t size), file, source, at, size)
