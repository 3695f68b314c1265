"""The interface of a running service: JSON over HTTP, a stream of changes, and metrics."""
