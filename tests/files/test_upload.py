"""Uploads from asking to reading, in both stores; what is kept is a picture and nothing else."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from auth.message_token import tracking_token
from domain.ids import Prefix, decode
from models.attachment import Attachment
from models.query import by_ids
from resolvers.upkeep import tidy
from tests.files.bench import SECRET, Bench
from tests.files.samples import GPS_CANARY, PDF, picture
from tests.forging import forged
from tests.service import Client
from tests.world import new_world

ATTACHMENTS = "query ($id: ID!) { node(id: $id) { ... on Appointment { attachments { id fileName url } } } }"


async def visit(bench: Bench) -> str:
    return str((await bench.world.book())["id"])


def token_of(bench: Bench, appointment: str, expires: timedelta = timedelta(hours=1)) -> str:
    appointment_id = decode(Prefix.APPOINTMENT, appointment)
    assert appointment_id is not None
    return tracking_token(SECRET, bench.tenant, appointment_id, datetime.now(UTC) + expires)


@pytest.mark.parametrize(
    ("kind", "content_type", "kept_type", "name"),
    [
        ("JPEG", "image/jpeg", "image/jpeg", "photo.jpg"),
        ("PNG", "image/png", "image/png", "photo.png"),
        ("WEBP", "image/webp", "image/webp", "photo.webp"),
        ("HEIF", "image/heic", "image/jpeg", "photo.jpg"),
    ],
)
async def test_a_picture_is_kept_without_what_the_camera_said(
    folder: Bench, kind: str, content_type: str, kept_type: str, name: str
) -> None:
    content = picture(kind)
    assert GPS_CANARY in content
    asked_name = f"photo.{content_type.partition('/')[2]}"
    made = await folder.upload(
        content, appointmentId=await visit(folder), contentType=content_type, fileName=asked_name.replace("jpeg", "jpg")
    )
    assert made["userErrors"] == []
    attachment = made["attachment"]
    assert (attachment["contentType"], attachment["fileName"]) == (kept_type, name)
    answer = await folder.fetch(attachment["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kept_type
    assert len(answer.content) == attachment["byteSize"]
    with Image.open(io.BytesIO(answer.content)) as kept:
        assert kept.size == (640, 480)
        assert dict(kept.getexif()) == {}
        red, green, _ = kept.convert("RGB").resize((1, 1), box=(0, 0, 100, 400)).tobytes()
        assert red > 150 > green
    small = await folder.fetch(attachment["thumbnailUrl"])
    with Image.open(io.BytesIO(small.content)) as thumbnail:
        assert max(thumbnail.size) == 320
    assert GPS_CANARY not in folder.content()
    assert not any(key.startswith("uploads/") for key in folder.stored())


async def test_both_stores_take_an_upload_and_give_it_back(bench: Bench) -> None:
    appointment = await visit(bench)
    made = await bench.upload(picture(), appointmentId=appointment)
    assert made["userErrors"] == []
    [listed] = (await bench.world.api.ask(ATTACHMENTS, id=appointment))["node"]["attachments"]
    assert listed["id"] == made["attachment"]["id"]
    answer = await bench.fetch(listed["url"])
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('inline; filename="photo.jpg"')
    assert answer.headers["cache-control"] == "private, no-store"
    assert GPS_CANARY not in bench.content()


async def test_a_picture_that_the_camera_held_sideways_stands_upright(folder: Bench) -> None:
    made = await folder.upload(picture(turned=True), appointmentId=await visit(folder))
    answer = await folder.fetch(made["attachment"]["url"])
    with Image.open(io.BytesIO(answer.content)) as kept:
        assert kept.size == (480, 640)


async def test_a_document_is_kept_as_it_is_and_never_shown_in_the_page(bench: Bench) -> None:
    made = await bench.upload(
        PDF,
        appointmentId=await visit(bench),
        kind="DOCUMENT",
        fileName="Rechnung Nr 5 – Müller.pdf",
        contentType="application/pdf",
    )
    assert made["userErrors"] == []
    assert made["attachment"]["thumbnailUrl"] is None
    answer = await bench.fetch(made["attachment"]["url"])
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "M%C3%BCller.pdf" in answer.headers["content-disposition"]


async def test_a_dataplate_hangs_on_its_equipment(folder: Bench) -> None:
    api = folder.world.api
    added = await api.do(
        "equipmentAdd", "equipment { id kind make } userErrors { code path }",
        addressId=folder.world.address, kind="Dishwasher", make="Bosch", serialNumber="SN-1",
    )  # fmt: skip
    equipment = added["equipment"]["id"]
    made = await folder.upload(picture(), equipmentId=equipment, kind="DATAPLATE")
    found = await api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Customer { addresses { equipment { id serialNumber attachments { id kind } } } } } }",
        id=folder.world.customer,
    )
    assert found["node"]["addresses"][0]["equipment"] == [
        {
            "id": equipment,
            "serialNumber": "SN-1",
            "attachments": [{"id": made["attachment"]["id"], "kind": "DATAPLATE"}],
        }
    ]


async def test_a_customer_adds_a_photo_by_the_link_alone(bench: Bench) -> None:
    appointment = await visit(bench)
    nobody = bench.world.service.client()
    made = await bench.upload(picture(), nobody, trackingToken=token_of(bench, appointment))
    assert made["userErrors"] == []
    assert (await bench.fetch(made["attachment"]["url"])).status_code == 200
    [listed] = (await bench.world.api.ask(ATTACHMENTS, id=appointment))["node"]["attachments"]
    assert listed["id"] == made["attachment"]["id"]


async def test_a_link_is_good_for_its_own_visit_and_its_own_time(folder: Bench) -> None:
    first, second = await visit(folder), await visit(folder)
    nobody = folder.world.service.client()
    for token in (token_of(folder, first, timedelta(seconds=-1)), "forged", forged(token_of(folder, first))):
        asked = await folder.request(nobody, byteSize=10, trackingToken=token)
        assert [each["code"] for each in asked["userErrors"]] == ["TOKEN_EXPIRED"], token
    other = await folder.request(nobody, byteSize=10, trackingToken=token_of(folder, first), appointmentId=second)
    assert [each["code"] for each in other["userErrors"]] == ["NOT_FOUND"]
    body = (
        await nobody.post(
            'mutation { uploadRequest(input: {kind: PHOTO, fileName: "a", contentType: "image/png", byteSize: 1}) { url } }'
        )
    ).json()
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_link_takes_no_more_than_twenty_files(folder: Bench) -> None:
    nobody, token = folder.world.service.client(), token_of(folder, await visit(folder))
    for _ in range(20):
        assert (await folder.request(nobody, byteSize=10, trackingToken=token))["userErrors"] == []
    refused = await folder.request(nobody, byteSize=10, trackingToken=token)
    assert [each["code"] for each in refused["userErrors"]] == ["INVALID_INPUT"]


async def test_completing_twice_answers_the_same_attachment(bench: Bench) -> None:
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    await bench.put(asked, content)
    first = await bench.complete(asked["attachmentId"])
    again = await bench.complete(asked["attachmentId"])
    assert first["attachment"]["id"] == again["attachment"]["id"]
    assert again["userErrors"] == []
    assert len(bench.stored()) == 2


async def test_deleting_removes_the_row_at_once_and_the_files_soon(bench: Bench) -> None:
    appointment = await visit(bench)
    made = await bench.upload(picture(), appointmentId=appointment)
    gone = await bench.world.api.do("attachmentDelete", attachmentId=made["attachment"]["id"])
    assert gone["userErrors"] == []
    assert (await bench.world.api.ask(ATTACHMENTS, id=appointment))["node"]["attachments"] == []
    await tidy(bench.database, bench.store, bench.tenant)
    assert bench.stored() == []
    again = await bench.world.api.do("attachmentDelete", attachmentId=made["attachment"]["id"])
    assert [each["code"] for each in again["userErrors"]] == ["NOT_FOUND"]


async def test_what_nobody_completed_is_gone_after_its_time(bench: Bench) -> None:
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    await bench.put(asked, content)
    kept = await bench.upload(content, appointmentId=await visit(bench))
    later = datetime.now(UTC) + timedelta(hours=1)
    await tidy(bench.database, bench.store, bench.tenant, later)
    assert not any(key.startswith("uploads/") for key in bench.stored())
    async with bench.database.tenant(bench.tenant) as session:
        ids = [decode(Prefix.ATTACHMENT, each) for each in (asked["attachmentId"], kept["attachment"]["id"])]
        left = await by_ids(session, Attachment, [each for each in ids if each])
    assert list(left) == [ids[1]]
    assert (await bench.fetch(kept["attachment"]["url"])).status_code == 200


async def test_bytes_that_are_put_again_after_completion_are_removed(bench: Bench) -> None:
    content = picture()
    asked = await bench.request(byteSize=len(content), appointmentId=await visit(bench))
    await bench.put(asked, content)
    await bench.complete(asked["attachmentId"])
    await bench.put(asked, content)
    assert GPS_CANARY in bench.content()
    await tidy(bench.database, bench.store, bench.tenant, datetime.now(UTC) + timedelta(hours=1))
    assert GPS_CANARY not in bench.content()


async def test_files_of_another_business_are_out_of_reach(folder: Bench) -> None:
    content = picture()
    appointment = await visit(folder)
    asked = await folder.request(byteSize=len(content), appointmentId=appointment)
    made = await folder.upload(content, appointmentId=appointment)
    async with new_world(folder.world.service) as other:
        foreign, pending = made["attachment"]["id"], asked["attachmentId"]
        for id_ in (foreign, pending, "att_01h455vb4pex5vsknk084sn02q", "nonsense"):
            assert (await other.api.ask("query ($id: ID!) { node(id: $id) { id } }", id=id_))["node"] is None
            assert await codes(other.api, "attachmentDelete", attachmentId=id_) == ["NOT_FOUND"]
            assert await codes(other.api, "uploadComplete", attachmentId=id_) == ["NOT_FOUND"]
        for given in ({"appointmentId": appointment}, {"equipmentId": "eqp_01h455vb4pex5vsknk084sn02q"}):
            refused = await folder.request(other.api, byteSize=5, **given)
            assert [each["code"] for each in refused["userErrors"]] == ["NOT_FOUND"]


async def codes(client: Client, mutation: str, **given: str) -> list[str]:
    return [each["code"] for each in (await client.do(mutation, **given))["userErrors"]]
