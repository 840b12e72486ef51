/* A model server as fast as C allows: every POST gets 200 and a short CSV body.
 * One thread, epoll, connections kept alive. It prints its port. Linux only. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 65536, EVENTS = 64, FILES = 4096 };

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/csv; charset=utf-8\r\nContent-Length: 19\r\n\r\n"
    "0.0123456789012345\n";

struct connection {
    size_t held;
    char data[BUFFER];
};

static struct connection *connections[FILES];

/* Length of the request at the start of `data`; 0 while it is incomplete. */
static size_t request_length(const char *data, size_t held)
{
    const char *end = memmem(data, held, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = end - data + 4;
    const char *field = memmem(data, head, "ontent-Length:", 14);
    if (field == NULL)
        field = memmem(data, head, "ontent-length:", 14);
    size_t total = head + (field ? strtoul(field + 14, NULL, 10) : 0);
    return held >= total ? total : 0;
}

static int serve(int fd)
{
    struct connection *c = connections[fd];
    ssize_t got = read(fd, c->data + c->held, BUFFER - c->held);
    if (got <= 0)
        return -1;
    c->held += got;
    for (size_t length; (length = request_length(c->data, c->held)) > 0;) {
        if (write(fd, answer, sizeof answer - 1) < 0)
            return -1;
        memmove(c->data, c->data + length, c->held - length);
        c->held -= length;
    }
    return c->held == BUFFER ? -1 : 0;
}

static void welcome(int poll, int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (fd >= FILES || (connections[fd] = calloc(1, sizeof(struct connection))) == NULL) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512))
        return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                welcome(poll, listener);
            } else if (serve(fd) < 0) {
                free(connections[fd]);
                connections[fd] = NULL;
                close(fd);
            }
        }
    }
}
