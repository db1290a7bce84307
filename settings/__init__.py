"""The one place that reads the environment: a frozen object, made once."""

from settings.settings import Settings, get_settings

__all__ = ["Settings", "get_settings"]
