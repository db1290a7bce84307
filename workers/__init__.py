"""Dramatiq broker and actors, the relay, and the clock of what falls due."""
