"""A word to the control plane that there is something to see in a run. Nobody waits for it."""

import os
import socket


def tell(home: str, run_id: str) -> None:
    """To the socket in `home`, if anybody listens there; else it will look by itself."""
    try:
        fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.setblocking(False)
            # By way of the folder: a path in a socket's address must be short.
            channel.sendto(run_id.encode(), f"/proc/self/fd/{fd}/hints.sock")
    except OSError:
        pass
    finally:
        os.close(fd)
