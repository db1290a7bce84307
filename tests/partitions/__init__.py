"""Partitions of events and messages: made ahead, hidden, dropped in time, and reached as one table."""
