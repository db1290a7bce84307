"""A worker process finds what was asked for, and does it: an export, a purge, a file that is to go."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.export.test_export import LIST, ask
from tests.files.bench import SECRET, Bench
from tests.files.samples import picture
from tests.files.test_upload import visit
from tests.process import ROOT, environment
from tests.world import PASSWORD

RUN = "from settings import get_settings; from workers.run import main; main(get_settings())"


@contextmanager
def worker(bench: Bench) -> Iterator["subprocess.Popen[bytes]"]:
    settings = {
        "DATABASE_URL": bench.database.url,
        "SPS_DATA_DIR": str(bench.settings.data_dir),
        "SPS_SECRET_KEY": SECRET,
        "SPS_PORT": str(bench.settings.port),
    }
    process = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, env={**os.environ, **environment(**settings)})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def own(bench: Bench) -> list[str]:
    """The files of this business: the worker does what other tests have left undone, too."""
    return [key for key in bench.stored() if str(bench.tenant) in key]


async def test_what_is_asked_for_is_done(folder: Bench) -> None:
    made = await folder.upload(picture(), appointmentId=await visit(folder))
    with worker(folder):
        await ask(folder)
        async with asyncio.timeout(120):
            while (listed := (await folder.world.api.ask(LIST))["exports"])[0]["state"] != "READY":
                await asyncio.sleep(0.1)
            assert (await folder.fetch(listed[0]["url"])).status_code == 200
            await folder.world.api.do("attachmentDelete", attachmentId=made["attachment"]["id"])
            while any("attachments/" in key for key in own(folder)):
                await asyncio.sleep(0.1)
            await folder.world.api.do("accountDelete", password=PASSWORD, confirmBusinessName=folder.world.name)
            while own(folder):
                await asyncio.sleep(0.1)
            again = folder.world.service.client()
            values = {"businessName": "Again", "name": "Olive", "email": folder.world.email, "password": PASSWORD}
            while (await again.do("signUp", **values))["userErrors"]:
                await asyncio.sleep(0.2)
