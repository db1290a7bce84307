"""Who books: a customer that the business knows by phone or email, or a new one. The answer is the same either way."""

from dataclasses import dataclass
from uuid import UUID

from domain import contact
from domain.address import Address
from domain.errors import invalid
from domain.geocoding import address_key
from domain.ids import new_id
from models.customer import Customer, CustomerAddress, addresses_of, customer_search_text, customer_to_book_for
from models.database import Transaction


@dataclass(frozen=True, slots=True)
class Contact:
    """How the customer can be reached: phone in E.164 form, email in lower case, at least one of them."""

    name: str
    phone: str | None
    email: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class Visited:
    """Who is visited and where; `internal_notes` tell the office what was said that differs from what is known."""

    customer_id: UUID
    address_id: UUID
    notes: str | None
    internal_notes: str | None


def checked_contact(name: str, phone: str | None, email: str | None, notes: str | None) -> Contact:
    """What somebody typed, in the form in which it is kept and compared.

    Raises:
        Refusal: INVALID_INPUT.
    """
    checked = Contact(
        name=contact.required(name, "name"),
        phone=contact.phone(phone, "phone"),
        email=contact.email(email, "email"),
        notes=(notes or "").strip() or None,
    )
    if checked.phone is None and checked.email is None:
        raise invalid("Leave a phone number or an email address.", "phone")
    return checked


async def customer_at(session: Transaction, tenant_id: UUID, who: Contact, address: Address) -> Visited:
    """The customer and the address, made if the business does not have them.

    What is known of a customer is neither shown nor changed: whoever knows a neighbour's phone number must not be able to read
    the neighbour's data, or to have the neighbour's messages sent elsewhere.
    """
    customer = await customer_to_book_for(session, who.phone, who.email)
    internal = None
    if customer is None:
        customer = Customer(
            tenant_id=tenant_id, id=new_id(), name=who.name, phone=who.phone, email=who.email, search=""
        )
        session.add(customer)
        await session.flush()
    else:
        internal = _what_differs(customer, who)
    address_id = await _address(session, customer, address)
    return Visited(customer.id, address_id, who.notes, internal)


def _what_differs(customer: Customer, who: Contact) -> str | None:
    said = [
        who.name if who.name.casefold() != customer.name.casefold() else None,
        who.phone if who.phone != customer.phone else None,
        who.email if who.email != customer.email else None,
    ]
    told = [each for each in said if each is not None]
    return f"Booked online by {', '.join(told)}" if told else None


async def _address(session: Transaction, customer: Customer, address: Address) -> UUID:
    wanted = address_key(address)
    for row in await addresses_of(session, [customer.id]):
        known = Address(row.line1, row.line2, row.city, row.region, row.postal_code, row.country)
        # Without a place the visit could not be planned.
        if address_key(known) == wanted and row.latitude is not None and (known.line2 or None) == address.line2:
            return row.id
    made = CustomerAddress(tenant_id=customer.tenant_id, id=new_id(), customer_id=customer.id, **address.columns())
    session.add(made)
    await session.flush()
    customer.search = await customer_search_text(session, customer)
    await session.flush()
    return made.id
