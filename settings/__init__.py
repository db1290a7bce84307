"""The one place that reads the environment: a frozen object, made once."""

from settings.settings import AdHocDocuments, Settings, get_settings

__all__ = ["AdHocDocuments", "Settings", "get_settings"]
