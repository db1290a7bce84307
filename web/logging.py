"""Logging of a process: every line one object of JSON on one stream, ours and the libraries' alike, redacted."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from web.redaction import redact

# At INFO these write addresses, bodies or statements.
_QUIET = ("httpx", "httpcore", "twilio", "sqlalchemy", "stripe", "botocore", "urllib3", "websockets", "asyncio")


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Set logging up, once a process, before anything is logged.

    A line has `timestamp` (UTC, ISO 8601), `level`, `event`, and where a request caused it `requestId`.

    Args:
        stream: where lines go; stderr when left out.
        level: below it nothing is written.
    """
    target = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
        _render,
    ]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _render(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
