"""Names, phones, emails and addresses as people type them, made into what is stored, or refused with a reason."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from domain.errors import invalid


def phone(text: str | None, *path: str, region: str = "US") -> str | None:
    """The number in E.164 form; numbers without a country code are read as `region`'s. An empty text is none.

    Raises:
        Refusal: INVALID_INPUT when no such number can exist.
    """
    if text is None or not text.strip():
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise invalid("That is not a phone number.", *path) from None
    if not phonenumbers.is_valid_number(number):
        raise invalid("That phone number cannot exist.", *path)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(text: str | None, *path: str) -> str | None:
    """The address in lower case, without surrounding space; an empty text is none. No look-up on the network.

    Raises:
        Refusal: INVALID_INPUT when it is not an address.
    """
    if text is None or not text.strip():
        return None
    try:
        # Reserved names such as .test are fine: whether mail arrives shows when it is sent.
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise invalid("That is not an email address.", *path) from None
    return found.normalized.lower()


def required(text: str, *path: str, most: int = 200) -> str:
    """Text that must say something.

    Raises:
        Refusal: INVALID_INPUT when it is blank or longer than `most` characters.
    """
    stripped = text.strip()
    if not stripped:
        raise invalid("This cannot be empty.", *path)
    if len(stripped) > most:
        raise invalid(f"This is longer than {most} characters.", *path)
    return stripped
