"""Passwords, log-in sessions, API keys and signed tokens."""
