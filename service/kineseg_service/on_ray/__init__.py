"""Servers as replicas of a Ray Serve deployment: started, replaced and scaled by Ray, each on a port of its own.

Streams do not pass through Serve's gRPC proxy. It carries streams in both directions, but it reads a client's stream
without bounds, ends it with statuses of its own, counts a call of a thousand streams as one, and waits for open streams
to end before it lets a replica go. So each replica runs the very server that `kineseg serve` runs, and clients find it
by the `directory`, or through the one address of the `ingress`. Needs ``kineseg[ray]``.
"""
