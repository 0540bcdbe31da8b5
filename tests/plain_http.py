"""For clients of servers on this machine, which speak HTTP without TLS."""

NO_TLS = False  # httpx's `verify`: else each client reads the certificates of all authorities, for 24 ms
