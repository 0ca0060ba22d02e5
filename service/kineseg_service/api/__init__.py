"""The gRPC face of the server: the calls, the messages and the status codes."""
