"""The event stream: hub, cursors, fan-out."""
