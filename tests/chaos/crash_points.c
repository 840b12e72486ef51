/* Ends its process with SIGKILL right before the n-th call that others could see the effect of.
 *
 * To be preloaded. The file named by CRASH_POINTS holds two numbers that all processes share: which
 * call is the last one (0: none), and how many there have been since somebody set the second to 0.
 * Counted are calls of all threads together: of one process, or of all that the variable reaches.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic long *numbers;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CRASH_POINTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, 2 * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        numbers = mapped;
}

static void point(void) {
    if (!numbers)
        return;
    long last = atomic_load(&numbers[0]);
    if (last && atomic_fetch_add(&numbers[1], 1) + 1 == last)
        kill(getpid(), SIGKILL);
}

#define CRASHES(result, name, parameters, ...)                    \
    result name parameters {                                      \
        static result(*next) parameters;                          \
        if (!next)                                                \
            next = (result(*) parameters)dlsym(RTLD_NEXT, #name); \
        point();                                                  \
        return next(__VA_ARGS__);                                 \
    }

CRASHES(int, fsync, (int file), file)
CRASHES(int, fdatasync, (int file), file)
CRASHES(int, rename, (const char *from, const char *to), from, to)
CRASHES(int, renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
CRASHES(int, link, (const char *from, const char *to), from, to)
CRASHES(int, linkat, (int a, const char *from, int b, const char *to, int flags), a, from, b, to, flags)
CRASHES(int, unlink, (const char *path), path)
CRASHES(int, unlinkat, (int folder, const char *path, int flags), folder, path, flags)
CRASHES(int, mkdir, (const char *path, mode_t mode), path, mode)
CRASHES(int, ftruncate, (int file, off_t size), file, size)
CRASHES(int, connect, (int file, const struct sockaddr *to, socklen_t size), file, to, size)
CRASHES(pid_t, waitpid, (pid_t child, int *status, int options), child, status, options)
CRASHES(ssize_t, write, (int file, const void *data, size_t size), file, data, size)
CRASHES(ssize_t, pwrite64, (int file, const void *data, size_t size, off_t at), file, data, size, at)
CRASHES(ssize_t, writev, (int file, const struct iovec *parts, int count), file, parts, count)
CRASHES(ssize_t, send, (int file, const void *data, size_t size, int flags), file, data, size, flags)
CRASHES(ssize_t, sendmsg, (int file, const struct msghdr *message, int flags), file, message, flags)
