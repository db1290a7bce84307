"""Cross-site requests: a page of another site can send our cookies along, and nothing comes of it."""

import json

import httpx
import pytest
import websockets

from tests.service import TLS
from tests.world import World

MUTATION = 'mutation { customerCreate(input: {name: "Forged"}) { customer { id } } }'
COUNT = "{ customers { totalCount } }"


async def forged(world: World, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(verify=TLS) as http:
        return await http.post(world.api.url, json={"query": MUTATION}, headers={**world.api.cookie_header, **headers})


async def count(world: World) -> int:
    return int((await world.api.ask(COUNT))["customers"]["totalCount"])


async def test_a_mutation_with_the_cookie_alone_is_refused(world: World) -> None:
    token = world.api.http.cookies["sps_csrf"]
    for header in (None, "", token[:-1], token + "x", token.swapcase()):
        answer = await forged(world, **({} if header is None else {"x-csrf-token": header}))
        assert answer.status_code == 403, header
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await count(world) == 1
    assert (await forged(world, **{"x-csrf-token": token})).status_code == 200
    assert await count(world) == 2


async def test_a_token_belongs_to_its_session(world: World) -> None:
    """A neighbour under the same domain can plant a pair of cookies that fit each other; they fit no session of ours."""
    other = world.service.client()
    await other.do(
        "signUp", businessName="Evil", name="E", email=f"evil-{world.email}", password="correct horse battery staple"
    )
    planted = other.http.cookies["sps_csrf"]
    session = world.api.http.cookies["sps_session"]
    async with httpx.AsyncClient(verify=TLS) as http:
        answer = await http.post(
            world.api.url,
            json={"query": MUTATION},
            headers={"cookie": f"sps_session={session}; sps_csrf={planted}", "x-csrf-token": planted},
        )
    assert answer.status_code == 403
    assert await count(world) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", f"query={MUTATION}"),
        ("text/plain", json.dumps({"query": MUTATION})),
        (
            "multipart/form-data; boundary=x",
            f'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{MUTATION}\r\n--x--',
        ),
        ("", json.dumps({"query": MUTATION})),
    ],
)
async def test_what_a_form_can_send_is_not_even_read(world: World, content_type: str, body: str) -> None:
    async with httpx.AsyncClient(verify=TLS) as http:
        for headers in ({}, {"x-csrf-token": world.api.http.cookies["sps_csrf"]}):
            answer = await http.post(
                world.api.url,
                content=body,
                headers={**world.api.cookie_header, **headers, "content-type": content_type},
            )
            assert answer.status_code in (400, 415)
        answer = await http.get(world.api.url, params={"query": MUTATION}, headers=world.api.cookie_header)
        assert answer.status_code == 405
    assert await count(world) == 1


async def test_a_page_of_another_site_gets_no_websocket(world: World) -> None:
    for origin in ("https://evil.example", "null", f"{world.service.origin}.evil.example"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with websockets.connect(
                world.api.url.replace("http", "ws", 1),
                subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
                additional_headers={**world.api.cookie_header, "origin": origin},
            ):
                pass
        assert refused.value.response.status_code == 403
