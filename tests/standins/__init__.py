"""Stand-ins for providers: servers on loopback that real clients talk to."""
