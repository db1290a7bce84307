"""What is not a photo or a document is refused with a reason, and changes nothing; forged and old URLs open nothing."""

import asyncio
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from domain.attachment import MOST_BYTES, upload_key
from domain.errors import Refusal
from integrations.file_store_local import LocalFiles
from integrations.image import BadImage, ImageCleaner
from resolvers.attachment_content import kept_form
from tests.access.people import Mailbox, add_user
from tests.files.bench import Bench
from tests.files.samples import PDF, archive, bomb, picture
from tests.files.test_upload import visit
from tests.service import TLS


def codes(payload: dict[str, list[dict[str, str]]]) -> list[str]:
    return [each["code"] for each in payload["userErrors"]]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"fileName": "../../etc/passwd"}, "fileName"),
        ({"fileName": "C:\\temp\\x.jpg"}, "fileName"),
        ({"fileName": ".."}, "fileName"),
        ({"fileName": "   "}, "fileName"),
        ({"fileName": "a\r\nSet-Cookie: x=1.jpg"}, "fileName"),
        ({"fileName": "photo\u202egpj.exe"}, "fileName"),
        ({"fileName": "x" * 151}, "fileName"),
        ({"contentType": "text/html"}, "contentType"),
        ({"contentType": "image/svg+xml"}, "contentType"),
        ({"contentType": "image/gif"}, "contentType"),
        ({"contentType": ""}, "contentType"),
        ({"byteSize": 0}, "byteSize"),
        ({"byteSize": -1}, "byteSize"),
        ({"byteSize": MOST_BYTES + 1}, "byteSize"),
        ({"appointmentId": None}, "appointmentId"),
    ],
)
async def test_a_request_that_asks_for_too_much_is_refused(folder: Bench, given: dict[str, Any], path: str) -> None:
    wanted: dict[str, Any] = {"byteSize": 100, "appointmentId": await visit(folder)} | given
    asked = await folder.request(**wanted)
    assert codes(asked) == ["INVALID_INPUT"]
    assert asked["userErrors"][0]["path"] == ["input", path]
    assert (asked["attachmentId"], asked["url"]) == (None, None)
    assert folder.stored() == []


async def test_the_url_is_bound_to_size_type_and_key(bench: Bench) -> None:
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    other = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    refused = [
        await bench.put(asked, content + b"x"),
        await bench.put(asked, content[:-1]),
        await bench.put(asked, content, **{"Content-Type": "text/html"}),
        await bench.put({"url": tampered(asked["url"]), "headers": asked["headers"]}, content),
        await bench.fetch(asked["url"]),
    ]
    assert [each.status_code for each in refused] == [403] * 5
    assert bench.stored() == []
    assert (await bench.put(asked, content)).status_code == 200
    assert other["url"] != asked["url"]


def tampered(url: str) -> str:
    """The URL of the neighbour's key, or with another byte in its token."""
    middle = url.index("uploads/") + 50 if "uploads/" in url else url.rindex("/") + 20
    return url[:middle] + ("b" if url[middle] != "b" else "c") + url[middle + 1 :]


async def test_nothing_can_be_put_or_read_without_a_signature(bench: Bench) -> None:
    content = picture()
    made = await bench.upload(content, appointmentId=await visit(bench))
    url = made["attachment"]["url"]
    async with httpx.AsyncClient(verify=TLS) as http:
        bare = url.partition("?")[0]
        answers = [
            await http.get(tampered_get(url)),
            await http.put(url, content=content),
            *([await http.get(bare), await http.put(bare, content=content)] if bench.bucket else []),
        ]
    assert all(answer.status_code in {400, 403} for answer in answers)


def tampered_get(url: str) -> str:
    return url.replace("files/", "files/x", 1)


async def test_urls_end_after_their_minutes(bench: Bench) -> None:
    key = upload_key(bench.tenant, bench.tenant)
    await bench.store.write(key, b"x", "image/jpeg")
    past, now = timedelta(seconds=-2), timedelta(minutes=5)
    if bench.bucket is not None:
        good = bench.store.download_url(key, "x.jpg", "image/jpeg", now)
        assert (await bench.fetch(good)).status_code == 200
        bench.bucket.ahead = timedelta(minutes=5, seconds=1)
        assert (await bench.fetch(good)).status_code == 403
        return
    assert (await bench.fetch(bench.store.download_url(key, "x.jpg", "image/jpeg", now))).status_code == 200
    assert (await bench.fetch(bench.store.download_url(key, "x.jpg", "image/jpeg", past))).status_code == 403
    upload = bench.store.upload_url(key, "image/jpeg", 1, past)
    async with httpx.AsyncClient(verify=TLS) as http:
        assert (await http.put(upload.url, content=b"y", headers=upload.headers)).status_code == 403


async def test_urls_to_read_last_five_minutes_at_most(bench: Bench) -> None:
    made = await bench.upload(picture(), appointmentId=await visit(bench))
    url = made["attachment"]["url"]
    if bench.bucket is not None:
        assert httpx.URL(url).params["X-Amz-Expires"] == "300"
        return
    store = bench.store
    assert isinstance(store, LocalFiles)
    token = url.rpartition("/")[2]
    assert store.download_grant(token) is not None
    # A link to upload is none to read by, and the other way round.
    assert store.upload_grant(token) is None


@pytest.mark.parametrize(
    ("content", "announced"),
    [
        (archive(), "image/jpeg"),
        (b"<html><script>alert(1)</script></html>", "image/png"),
        (picture("PNG"), "image/jpeg"),
        (b"\xff\xd8\xff\xe0" + b"junk" * 50, "image/jpeg"),
        (picture()[:2_000], "image/jpeg"),
        (bomb(), "image/png"),
        (b"MZ\x90\0" + PDF, "application/pdf"),
        (PDF + archive(), "application/pdf"),
        (PDF[:-8], "application/pdf"),
        (b"%PDF-1.4\n<html><script>alert(1)</script>\n%%EOF", "application/pdf"),
        (b"GIF89a" + b"\0" * 50, "image/webp"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 50, "image/heic"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, "image/heic"),
    ],
)
async def test_bytes_that_are_not_what_they_should_be_are_not_kept(content: bytes, announced: str) -> None:
    with pytest.raises(Refusal) as refused:
        await kept_form(content, announced, len(content))
    assert refused.value.code == "INVALID_INPUT"


async def test_a_refused_upload_leaves_a_second_chance(bench: Bench) -> None:
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    assert codes(await bench.complete(asked["attachmentId"])) == ["INVALID_INPUT"]
    await bench.put(asked, archive().ljust(len(content), b"\0"))
    assert codes(await bench.complete(asked["attachmentId"])) == ["INVALID_INPUT"]
    await bench.put(asked, content)
    assert codes(await bench.complete(asked["attachmentId"])) == []


async def test_what_hides_behind_a_picture_is_gone(folder: Bench) -> None:
    polyglot = picture() + archive()
    made = await folder.upload(polyglot, appointmentId=await visit(folder))
    assert codes(made) == []
    assert b"run.sh" not in folder.content()
    assert b"PK\x03\x04" not in folder.content()


async def test_pixels_are_counted_before_they_are_decoded() -> None:
    content = picture(size=(100, 100))
    assert (await ImageCleaner(most_pixels=10_000).clean(content, "image/jpeg")).content_type == "image/jpeg"
    with pytest.raises(BadImage, match="9999 pixels"):
        await ImageCleaner(most_pixels=9_999).clean(content, "image/jpeg")


async def test_an_image_that_takes_too_long_is_given_up_on() -> None:
    made = io.BytesIO()
    Image.new("RGB", (6_000, 6_000)).save(made, "PNG")
    with pytest.raises(BadImage, match="too long"):
        await ImageCleaner(seconds=0.01).clean(made.getvalue(), "image/png")


async def test_decoding_leaves_the_loop_free() -> None:
    made = io.BytesIO()
    Image.effect_noise((3_000, 3_000), 60).save(made, "PNG")
    cleaning = asyncio.create_task(ImageCleaner().clean(made.getvalue(), "image/png"))
    turns = 0
    while not cleaning.done():
        turns += 1
        await asyncio.sleep(0.001)
    # Decoded in the loop, the task would be done in its first turn.
    assert turns > 20
    assert (await cleaning).content_type == "image/png"


async def test_a_store_that_does_not_answer_loses_nothing(bench: Bench) -> None:
    if bench.bucket is None:
        return
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    await bench.put(asked, content)
    bench.bucket.fails = 100
    assert codes(await bench.complete(asked["attachmentId"])) == ["BUSY"]
    bench.bucket.fails = 0
    assert codes(await bench.complete(asked["attachmentId"])) == []


async def test_a_technician_reaches_the_files_of_own_visits_alone(folder: Bench) -> None:
    mine, others = await visit(folder), await visit(folder)
    api = folder.world.api
    await api.do("appointmentAssign", "userErrors { code }", appointmentId=mine, technicianId=folder.world.technician)
    made = {each: (await folder.upload(picture(), appointmentId=each))["attachment"]["id"] for each in (mine, others)}
    tess = (await add_user(folder.world, Mailbox(), "TECHNICIAN", technicianId=folder.world.technician)).api
    for visit_id, code in ((mine, []), (others, ["NOT_FOUND"])):
        asked = await folder.request(tess, byteSize=10, appointmentId=visit_id)
        assert codes(asked) == code
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await tess.ask(node, id=made[mine]))["node"]
    assert (await tess.ask(node, id=made[others]))["node"] is None
    gone = await tess.do("attachmentDelete", attachmentId=made[others])
    assert codes(gone) == ["NOT_FOUND"]
