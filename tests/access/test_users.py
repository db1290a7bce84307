"""The people of a business: invitations, roles, removal, and that nobody gives more than they have."""

import asyncio
from typing import Any

import psycopg
import pytest

from tests.access.people import PASSWORD, VIEWER, Mailbox, add_user, code_of, deliver_mails, log_in
from tests.world import PASSWORD as OWNERS
from tests.world import World

Connection = psycopg.Connection[Any]
INVITE = "mutation ($input: UserInviteInput!) { userInvite(input: $input) { user { id } userErrors { code } } }"
CHANGE = (
    "mutation ($input: UserRoleChangeInput!) { userRoleChange(input: $input) { user { role } userErrors { code } } }"
)
REMOVE = "mutation ($input: UserRemoveInput!) { userRemove(input: $input) { userErrors { code } } }"


async def owner_id(world: World) -> str:
    return str((await world.api.ask("{ viewer { user { id } } }"))["viewer"]["user"]["id"])


async def test_an_invitation_makes_a_user_who_sets_a_password(world: World, mailbox: Mailbox) -> None:
    address = f"nia-{world.email}"
    made = await world.api.do(
        "userInvite", "user { name email role invited technician { id } } userErrors { code }",
        email=address.upper(), name="Nia New", role="TECHNICIAN", technicianId=world.technician,
    )  # fmt: skip
    assert made["user"] == {
        "name": "Nia New", "email": address, "role": "TECHNICIAN", "invited": True,
        "technician": {"id": world.technician},
    }  # fmt: skip
    assert (await log_in(world.service.client(), address))["userErrors"][0]["code"] == "INVALID_CREDENTIALS"
    await deliver_mails(world.service, mailbox)
    (mail,) = (each for each in mailbox.mails if each.to == address)
    assert (mail.to, mail.subject) == (address, f"{world.name} invites you")
    assert "Olive Owner" in mail.body
    client, token = world.service.client(), mailbox.token(address)
    fields = f"{VIEWER} userErrors {{ code path }}"
    weak = await client.do("invitationAccept", fields, token=token, password="password1")
    assert weak["userErrors"] == [{"code": "WEAK_PASSWORD", "path": ["input", "password"]}]
    done = await client.do("invitationAccept", fields, token=token, password=PASSWORD)
    assert done["viewer"]["user"]["email"] == address
    assert (await client.ask("{ viewer { user { name } } }"))["viewer"]["user"]["name"] == "Nia New"
    again = await client.do("invitationAccept", fields, token=token, password="some other password 5")
    assert again["userErrors"] == [{"code": "TOKEN_EXPIRED", "path": ["input", "token"]}]
    assert (await log_in(world.service.client(), address))["userErrors"] == []


async def test_inviting_again_sends_another_link_and_ends_the_first(world: World, mailbox: Mailbox) -> None:
    address = f"amy-{world.email}"
    links = []
    for name in ("Amy", "Amy Again"):
        assert (await world.api.do("userInvite", email=address, name=name, role="VIEWER"))["userErrors"] == []
        await deliver_mails(world.service, mailbox)
        links.append(mailbox.token(address))
    fields = f"{VIEWER} userErrors {{ code }}"
    first = await world.service.client().do("invitationAccept", fields, token=links[0], password=PASSWORD)
    assert first["userErrors"] == [{"code": "TOKEN_EXPIRED"}]
    second = await world.service.client().do("invitationAccept", fields, token=links[1], password=PASSWORD)
    assert second["viewer"]["user"]["name"] == "Amy Again"
    taken = await world.api.do("userInvite", email=address, name="Amy", role="VIEWER")
    assert taken["userErrors"] == [{"code": "EMAIL_TAKEN", "path": ["input", "email"]}]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"email": "nonsense"}, ("INVALID_INPUT", ["input", "email"])),
        ({"email": ""}, ("INVALID_INPUT", ["input", "email"])),
        ({"name": "  "}, ("INVALID_INPUT", ["input", "name"])),
        ({"technicianId": "tech_01h455vb4pex5vsknk084sn02q"}, ("NOT_FOUND", ["input", "technicianId"])),
        ({"technicianId": "nonsense"}, ("NOT_FOUND", ["input", "technicianId"])),
    ],
)
async def test_invitations_that_cannot_be(world: World, mailbox: Mailbox, changes: Any, error: Any) -> None:
    values = {"email": f"bad-{world.email}", "name": "Bad", "role": "VIEWER"} | changes
    made = await world.api.do("userInvite", **values)
    assert [(each["code"], each["path"]) for each in made["userErrors"]] == [error]
    await deliver_mails(world.service, mailbox)
    assert mailbox.mails == []


async def test_an_address_of_another_business_is_taken(world: World, mailbox: Mailbox) -> None:
    other = world.service.client()
    await other.do(
        "signUp", businessName="Other", name="O", email=f"other-{world.email}", password=OWNERS, timeZone="UTC"
    )
    made = await world.api.do("userInvite", email=f"other-{world.email}", name="O", role="VIEWER")
    assert made["userErrors"][0]["code"] == "EMAIL_TAKEN"


async def test_a_role_change_ends_the_log_ins_and_the_next_has_the_new_rights(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER")
    changed = await world.api.do("userRoleChange", "user { role } userErrors { code }", userId=person.id, role="VIEWER")
    assert changed["user"] == {"role": "VIEWER"}
    assert (await person.api.ask("{ viewer { scopes } }"))["viewer"] is None
    done = await log_in(person.api, person.email)
    assert "customers:read" in done["viewer"]["scopes"]
    assert "customers:write" not in done["viewer"]["scopes"]


async def test_changing_a_role_to_itself_changes_nothing(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "VIEWER")
    await world.api.do("userRoleChange", userId=person.id, role="VIEWER")
    assert (await person.api.ask("{ viewer { scopes } }"))["viewer"] is not None


async def test_the_last_owner_stays(world: World, mailbox: Mailbox) -> None:
    me = await owner_id(world)
    kept = [{"code": "IN_USE", "path": ["input", "userId"]}]
    assert (await world.api.do("userRemove", userId=me))["userErrors"] == kept
    assert (await world.api.do("userRoleChange", userId=me, role="ADMIN"))["userErrors"] == kept
    # One who was invited and has not come yet owns nothing.
    await world.api.do("userInvite", email=f"later-{world.email}", name="Later", role="OWNER")
    assert (await world.api.do("userRemove", userId=me))["userErrors"] == kept
    second = await add_user(world, mailbox, "OWNER", "Second Owner")
    old = world.api.cookie_header
    demoted = await world.api.do("userRoleChange", "user { role } userErrors { code }", userId=me, role="ADMIN")
    assert demoted["user"] == {"role": "ADMIN"}
    # Whose own role changes goes on with a fresh session.
    assert world.api.cookie_header != old
    assert "account:close" not in (await world.api.ask("{ viewer { scopes } }"))["viewer"]["scopes"]
    assert (await second.api.do("userRemove", userId=second.id))["userErrors"] == kept


async def test_two_owners_who_demote_each_other_leave_one(world: World, mailbox: Mailbox) -> None:
    second = await add_user(world, mailbox, "OWNER", "Second Owner")
    me = await owner_id(world)
    answers = await asyncio.gather(
        world.api.post(CHANGE, input={"userId": second.id, "role": "VIEWER"}),
        second.api.post(CHANGE, input={"userId": me, "role": "VIEWER"}),
    )
    done = [answer.json()["data"] for answer in answers]
    changed = [each for each in done if each and each["userRoleChange"]["user"]]
    assert len(changed) == 1


async def test_a_removed_user_is_out_at_once(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "ADMIN")
    assert (await world.api.do("userRemove", userId=person.id))["userErrors"] == []
    assert (await person.api.ask("{ viewer { scopes } }"))["viewer"] is None
    assert (await log_in(person.api, person.email))["userErrors"][0]["code"] == "INVALID_CREDENTIALS"
    assert (await world.api.do("userRemove", userId=person.id))["userErrors"][0]["code"] == "NOT_FOUND"
    assert person.id not in str(await world.api.ask("{ users { id } }"))


async def test_an_invitation_dies_with_its_user(world: World, mailbox: Mailbox) -> None:
    address = f"gone-{world.email}"
    made = await world.api.do("userInvite", "user { id } userErrors { code }", email=address, name="G", role="VIEWER")
    await deliver_mails(world.service, mailbox)
    await world.api.do("userRemove", userId=made["user"]["id"])
    done = await world.service.client().do("invitationAccept", token=mailbox.token(address), password=PASSWORD)
    assert done["userErrors"][0]["code"] == "TOKEN_EXPIRED"


@pytest.mark.parametrize("granted", ["OWNER", "ADMIN", "DISPATCHER", "TECHNICIAN", "VIEWER"])
async def test_an_admin_makes_nobody_an_owner_and_touches_none(world: World, mailbox: Mailbox, granted: str) -> None:
    admin = await add_user(world, mailbox, "ADMIN", "Adam Admin")
    expected = "FORBIDDEN" if granted == "OWNER" else None
    invite = {"email": f"inv-{world.email}", "name": "I", "role": granted}
    assert await code_of(admin.api, INVITE, input=invite) == expected
    viewer = await add_user(world, mailbox, "VIEWER", "Vera Viewer")
    assert await code_of(admin.api, CHANGE, input={"userId": viewer.id, "role": granted}) == expected
    me = await owner_id(world)
    assert await code_of(admin.api, CHANGE, input={"userId": me, "role": granted}) == "FORBIDDEN"
    assert await code_of(admin.api, REMOVE, input={"userId": me}) == "FORBIDDEN"
    roles = {each["id"]: each["role"] for each in (await world.api.ask("{ users { id role } }"))["users"]}
    assert roles[me] == "OWNER"
    assert roles[viewer.id] == ("VIEWER" if expected else granted)


@pytest.mark.parametrize("role", ["DISPATCHER", "TECHNICIAN", "VIEWER"])
async def test_others_manage_nobody(world: World, mailbox: Mailbox, role: str) -> None:
    person = await add_user(world, mailbox, role)
    for query, values in (
        (INVITE, {"email": f"x-{world.email}", "name": "X", "role": "VIEWER"}),
        (CHANGE, {"userId": person.id, "role": "OWNER"}),
        (REMOVE, {"userId": person.id}),
    ):
        assert await code_of(person.api, query, input=values) == "FORBIDDEN"
    assert await code_of(person.api, "{ users { id } }") == "FORBIDDEN"
    assert await code_of(person.api, "query ($id: ID!) { node(id: $id) { id } }", id=person.id) == "FORBIDDEN"
