"""The `sps` command."""
