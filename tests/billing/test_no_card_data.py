"""No field could take a payment card: none is named or typed for it, and those that take any text refuse its number."""

import random
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLScalarType, get_named_type
from starlette.staticfiles import StaticFiles

from domain.card_number import holds_card_number
from models.all import metadata
from settings import Settings
from tests.isolation.operations import GRAPHQL, Maker, Slot, root_fields
from tests.world import World
from web.app import create_app

# Words of names, as in card_number, cvc, expMonth; "card" alone is enough.
WORDS = {"card", "cards", "pan", "cvc", "cvv", "csc", "iban", "bic", "swift", "ach", "expiry", "exp", "cardholder",
         "creditcard", "debit", "sortcode", "magstripe", "fingerprint", "last4"}  # fmt: skip
PAIRS = {("account", "number"), ("security", "code"), ("payment", "method"), ("payment", "token"), ("bank", "account"),
         ("routing", "number")}  # fmt: skip
NUMBERS = ["4242424242424242", "4242 4242 4242 4242", "4000-0566-5566-5556", "5555555555554444", "2223003122003222",
           "378282246310005", "6011111111111117", "3056930009020004", "36227206271667", "3566002020360505",
           "6200000000000005", "6555900000604105"]  # fmt: skip
# Routes that take a body, and what becomes of it.
BODIES = {
    "/graphql": "the fields below",
    "/files/{signed}": "a photo, drawn anew, or a PDF, with the size and type that were asked for",
    "/webhooks/stripe": "cut down to ids, states, sums and dates: test_webhook.py",
    "/webhooks/twilio/status": "the state of a text",
    "/webhooks/twilio/inbound": "STOP, START and HELP; nothing of it is kept",
    "/unsubscribe/{token}": "nothing",
}


def words(name: str) -> list[str]:
    return [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name.replace("_", " "))]


def suspicious(name: str) -> bool:
    found = words(name)
    joined = {"".join(found[index : index + 2]) for index in range(len(found))}
    return bool(WORDS & set(found) or WORDS & joined or PAIRS & set(pairwise(found)))


def test_the_words_are_found() -> None:
    for name in (
        "cardNumber",
        "card_number",
        "CVC",
        "expMonth",
        "paymentMethod",
        "bankAccount",
        "iban",
        "accountNumber",
    ):
        assert suspicious(name), name
    for name in ("technicianId", "expectedVersion", "companyName", "discard", "accountCancel", "expiresAt", "number"):
        assert not suspicious(name), name


def inputs() -> Iterator[tuple[str, str]]:
    """Everything that can be sent: arguments of all fields, fields of all input types, with their type's name."""
    for type_ in GRAPHQL.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            yield from ((f"{type_.name}.{name}", get_named_type(each.type).name) for name, each in type_.fields.items())
        for field, definition in getattr(type_, "fields", {}).items():
            for name, argument in getattr(definition, "args", {}).items():
                yield f"{type_.name}.{field}({name})", get_named_type(argument.type).name


def test_no_argument_or_input_is_named_for_a_card() -> None:
    found = list(inputs())
    assert len(found) > 150
    assert [name for name, _ in found if any(suspicious(part) for part in re.split(r"[.()]", name))] == []


def test_no_input_takes_what_nobody_looks_into() -> None:
    """A scalar of any shape could carry a card where no name tells."""
    scalars = {name for _, name in inputs() if isinstance(GRAPHQL.type_map[name], GraphQLScalarType)}
    assert scalars == {
        "ID", "String", "Int", "Float", "Boolean", "DateTime", "Date", "LocalTime", "Decimal", "EmailAddress", "PhoneNumber",
    }  # fmt: skip


def test_no_column_and_no_setting_is_named_for_a_card() -> None:
    columns = [f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns]
    assert [name for name in columns if any(suspicious(part) for part in name.split("."))] == []
    assert [name for name in Settings.model_fields if suspicious(name)] == []


def test_every_route_that_takes_a_body_is_known(database_url: str) -> None:
    taking = {
        str(getattr(route, "path", route))
        for route in create_app(Settings(database_url=database_url)).routes
        if {"POST", "PUT", "PATCH"} & set(getattr(route, "methods", None) or {"POST"})
        # Answers GET and HEAD alone.
        and not isinstance(getattr(route, "app", None), StaticFiles)
    }
    assert taking == set(BODIES)


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_cards_are_told(number: str) -> None:
    for text in (number, f"pay with {number}, thanks", f"({number})", f"card: {number}.\nexp 04/31"):
        assert holds_card_number(text), text
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not holds_card_number(changed)
    assert not holds_card_number(f"X{number}")
    assert not holds_card_number(f"1{number}" if number.isdigit() else changed)


@pytest.mark.parametrize(
    "text",
    ["+15125550123", "+49 1512 3456789", "2027-03-02 09:00 - 2027-03-02 10:00", "356938035643809", "1234567890123456",
     "WDT780SAEM1", "100 Main St 78701-1234", "", "9" * 20, "0000000000000000", "appt_01h455vb4pex5vsknk084sn02q",
     "129.00 129.00 129.00", "4111", "78701 78702 78703 78704"],
)  # fmt: skip
def test_other_numbers_are_let_be(text: str) -> None:
    assert not holds_card_number(text)


class Texts(Maker):
    """Puts a card's number into every text."""

    def text(self, name: str, path: str) -> Any:
        return "4242 4242 4242 4242"


async def test_whatever_text_a_mutation_takes_it_takes_no_card(world: World) -> None:
    """Over the wire, each of them: the answer names the place."""
    with_texts = 0
    for kind, name, definition in root_fields():
        if kind != "mutation":
            continue
        operation = Texts(random.Random(1), every=True).operation(kind, name, definition, 1)
        places = list(_texts(operation.variables))
        if not places:
            continue
        with_texts += 1
        answer = (await world.api.post(operation.document, **operation.filled(_any_id, lambda: None))).json()
        errors = answer["data"]["it"]["userErrors"] if answer.get("data") else []
        refused = {tuple(each["path"]) for each in errors if "payment card" in each["message"]}
        assert {tuple(place) for place in places} <= refused, (name, answer)
    assert with_texts > 30


def _texts(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*path, str(index)))
    elif value == "4242 4242 4242 4242":
        yield path


def _any_id(_slot: Slot) -> str:
    return "tech_01h455vb4pex5vsknk084sn02q"
