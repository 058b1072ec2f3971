"""HTTP services that answer JSON: the client of lists and of requests."""
