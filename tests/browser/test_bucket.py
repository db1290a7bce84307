"""Photos in a bucket: the pages may put and show them there, and reach nothing else on its host."""

import json
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.files.bench import made_bench
from tests.files.samples import picture
from tests.standins.s3 import s3_stand_in

pytestmark = pytest.mark.services
PUT = """fetch(%s, {method: 'PUT', headers: {'Content-Type': 'image/jpeg'}, body: Uint8Array.from(%s)})
  .then((answer) => answer.status, () => 'refused')"""
SHOWN = """new Promise((done) => { const image = new Image(); image.onload = () => done(image.naturalWidth);
  image.onerror = () => done(0); image.src = %s })"""


async def test_a_page_reaches_its_bucket_and_no_other(browser: Browser, database_url: str, tmp_path: Path) -> None:
    with s3_stand_in() as bucket:
        async with made_bench(database_url, tmp_path, bucket) as bench:
            bucket.allowed_origin = bench.world.service.origin
            page = await browser.page()
            await page.open(f"{bench.world.service.origin}/book/nowhere")
            photo = picture()
            asked = await bench.request(byteSize=len(photo), appointmentId=(await bench.world.book())["id"])
            assert str(bucket.port) in asked["url"]
            assert await page.run(PUT % (json.dumps(asked["url"]), list(photo))) == 200
            made = await bench.complete(asked["attachmentId"])
            url = made["attachment"]["url"]
            assert str(bucket.port) in url
            assert await page.run(SHOWN % json.dumps(url)) > 0
            assert page.troubles == []

            bucket.requests.clear()
            for there in (asked["url"], url):
                elsewhere = json.dumps(there.replace("/private/", "/somebody-elses/"))
                assert await page.run(PUT % (elsewhere, [1])) == "refused"
                assert await page.run(SHOWN % elsewhere) == 0
            await page.heard("Content Security Policy")
            assert bucket.requests == []
            await page.open("about:blank")
