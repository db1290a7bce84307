"""Settings as the command line sees them: its options on top of the environment, and the key that is kept between starts."""

import os
from pathlib import Path

from pydantic import ValidationError

from cli.keys import Keys
from cli.trouble import Trouble
from settings import Settings, get_settings


def load(**options: object) -> Settings:
    """The settings, with options (by their variables' names; None: not given) put into the environment, where children see them.

    Raises:
        Trouble: a variable holds a value that its type does not allow, or the data folder cannot be used.
    """
    for name, value in options.items():
        if value is not None:
            os.environ[name] = str(value)
    settings = reload()
    # Absolute, so that a child with another working directory means the same folder.
    os.environ["SPS_DATA_DIR"] = str(settings.data_dir.expanduser().absolute())
    if not os.environ.get("SPS_SECRET_KEY"):
        os.environ["SPS_SECRET_KEY"] = Keys(Path(os.environ["SPS_DATA_DIR"])).secret_key()
    return reload()


def reload() -> Settings:
    """Read the environment again."""
    get_settings.cache_clear()
    try:
        return get_settings()
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))} is not valid: {fault['msg']}" for fault in error.errors()]
        raise Trouble("; ".join(faults) + ".") from error
