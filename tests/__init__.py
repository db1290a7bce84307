"""Tests: real parts, over the wire."""
