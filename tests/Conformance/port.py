"""A port of the loopback that is free, as the one above is (which ./cloud up takes for hosts); below those that the kernel gives to who asks for any."""
import random
import socket


def free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


print(next(p for p in iter(lambda: random.randrange(10_000, 30_000, 2), None) if free(p) and free(p + 1)))
