"""An email as it travels: plain text and HTML, the ways to reply and to unsubscribe, and no header that a value began."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime
from html import escape

from integrations.delivery import Rejected
from integrations.email import Email

_LINK = re.compile(r"https?://[^\s<>\"']+")
_UNSUBSCRIBE = "To get no more emails about your appointments with us:"


def mime(email: Email, sender: str, domain: str) -> EmailMessage:
    """The message.

    Args:
        sender: the bare address that it comes from.
        domain: what stands behind the @ of its Message-ID.

    Raises:
        Rejected: an address is none, or a value holds a line break where a header is to be made of it.
    """
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = Address(display_name=email.from_name, addr_spec=sender)
        message["To"] = Address(addr_spec=email.to)
        if email.reply_to:
            message["Reply-To"] = Address(addr_spec=email.reply_to)
        message["Subject"] = email.subject
        message["Date"] = localtime()
        # The same at every attempt: a mailbox that gets a message twice can see that it is one.
        message["Message-ID"] = f"<{email.message_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if email.unsubscribe_url is not None:
            message["List-Unsubscribe"] = f"<{email.unsubscribe_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    except (ValueError, IndexError) as error:
        raise Rejected("the address or the subject cannot stand in an email") from error
    footer = "" if email.unsubscribe_url is None else f"\n{_UNSUBSCRIBE} {email.unsubscribe_url}\n"
    message.set_content(f"{email.body}\n{footer}")
    message.add_alternative(html(email), subtype="html")
    return message


def html(email: Email) -> str:
    """The HTML part: the words escaped as a whole, so that nothing in a template or a value is ever markup."""
    paragraphs = "".join(f"<p>{_lines(part)}</p>\n" for part in re.split(r"\n\s*\n", email.body) if part.strip())
    footer = ""
    if email.unsubscribe_url is not None:
        url = escape(email.unsubscribe_url, quote=True)
        footer = f'<p style="color:#666;font-size:smaller">{_UNSUBSCRIBE} <a href="{url}">unsubscribe</a>.</p>\n'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>'
        f"{escape(email.subject)}</title></head>\n<body>\n{paragraphs}"
        f"{footer}</body></html>\n"
    )


def _lines(text: str) -> str:
    parts, end = [], 0
    for link in _LINK.finditer(text):
        address = link[0].rstrip(".,;:!?)")
        parts.append(escape(text[end : link.start()]))
        parts.append(f'<a href="{escape(address, quote=True)}">{escape(address)}</a>')
        end = link.start() + len(address)
    parts.append(escape(text[end:]))
    return "".join(parts).strip().replace("\n", "<br>\n")
