"""The kineseg server: it runs a model bundle over open streams and emits their segments."""
