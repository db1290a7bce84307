"""The JavaScript world's own checks against a real server: graphql-http's audits and the graphql-ws client."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.service import Service
from tests.web.server import Edge

FOLDER = Path(__file__).parent.parent / "edge_js"

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        shutil.which("node") is None and "CI" not in os.environ, reason="node is not installed, and this is not CI"
    ),
]


async def run(*command: str) -> str:
    """The output of a command that has to succeed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=FOLDER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    return text


@pytest.fixture
async def packages() -> None:
    """What package-lock.json pins, unless it is there."""
    if not (FOLDER / "node_modules").is_dir():
        await run("npm", "ci", "--no-audit", "--no-fund", "--silent")


@pytest.mark.usefixtures("packages")
async def test_the_graphql_http_audits_find_no_error_and_no_warning(edge: Edge) -> None:
    output = await run("node", "audit.mjs", edge.url)
    assert "0 warnings, 0 errors" in output


@pytest.mark.usefixtures("packages")
async def test_the_graphql_ws_client_works(edge: Edge) -> None:
    output = await run("node", "ws.mjs", edge.url.replace("http", "ws", 1), "ada", "subscription { ticks { number } }")
    assert "9 of 9 checks passed" in output


@pytest.mark.usefixtures("packages")
async def test_the_audits_pass_on_the_product_itself(service: Service) -> None:
    output = await run("node", "audit.mjs", f"{service.origin}/graphql")
    assert "0 warnings, 0 errors" in output
