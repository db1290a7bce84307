"""Outside services: a protocol, the real one and a local one for each."""
