"""Templates of texts and emails: a fixed set of names between double braces, checked when saved, rendered in a sandbox."""

from collections.abc import Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from domain.errors import invalid

VARIABLES: Mapping[str, str] = {
    "business_name": "The business.",
    "business_phone": "Its phone number; empty when it has none.",
    "location_name": "The location that sends the technician.",
    "customer_name": "The customer.",
    "customer_first_name": "The first word of the customer's name.",
    "number": "The appointment's number.",
    "date": "The day of the visit: Tuesday, December 1.",
    "time": "Where the promised window begins: 9:00 AM.",
    "window": "The promised window: 9:00 AM to 11:00 AM.",
    "address": "Where: the street line and the city.",
    "services": "What is done: Dishwasher repair, Leak search.",
    "technician_name": "The technician's first name; Your technician, while there is none.",
    "eta": "When the technician is expected: at 2:35 PM; soon, when that is unknown.",
    "tracking_url": "The address of the customer's tracking page.",
}
FILTERS = frozenset({"upper", "lower", "title", "trim"})
# What Twilio takes as one text, and a mail server as one line.
LONGEST_TEXT = 1_600
LONGEST_SUBJECT = 200

# Values are never HTML, nor is the template: an email's HTML part is made by escaping the rendered text as a whole.
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    autoescape=False,
    undefined=StrictUndefined,
    keep_trailing_newline=False,
)


def checked_template(source: str, *path: str, one_line: bool = False) -> str:
    """The template, if it is text with variables of `VARIABLES` and filters of `FILTERS`, and nothing else.

    Args:
        one_line: refuse line breaks, which would begin a new header in an email.

    Raises:
        Refusal: INVALID_INPUT at `input.<path>`.
    """
    if not source.strip():
        raise invalid("A template cannot be empty; switch the event off instead.", *path)
    if one_line and any(character in source for character in "\r\n"):
        raise invalid("A subject is one line.", *path)
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise invalid(f"Line {error.lineno} of the template cannot be read: {error.message}", *path) from None
    except RecursionError:
        raise invalid("The template is nested too deeply.", *path) from None
    for part in tree.body:
        if not isinstance(part, nodes.Output):
            raise invalid("A template holds text and {{ variables }}, no statements.", *path)
        for node in part.nodes:
            _check_output(node, path)
    return source


def _check_output(node: nodes.Node, path: tuple[str, ...]) -> None:
    match node:
        case nodes.TemplateData():
            return
        case nodes.Filter(node=nodes.Name() as inner, name=name, args=[], kwargs=[], dyn_args=None, dyn_kwargs=None):
            if name not in FILTERS:
                raise invalid(f"There is no filter {name}. There are: {', '.join(sorted(FILTERS))}.", *path)
            node = inner
    if not isinstance(node, nodes.Name):
        raise invalid("Between double braces stands one variable, with at most one filter.", *path)
    if node.name not in VARIABLES:
        raise invalid(f"There is no variable {node.name}. There are: {', '.join(VARIABLES)}.", *path)


def rendered(source: str, words: Mapping[str, str]) -> str:
    """The template with its variables filled in.

    Raises:
        jinja2.TemplateError: the template was never checked.
    """
    return _compiled(source).render(words).strip()


def rendered_text(source: str, words: Mapping[str, str]) -> str:
    """A text message: at most as long as one may be."""
    return rendered(source, words)[:LONGEST_TEXT]


def rendered_subject(source: str, words: Mapping[str, str]) -> str:
    """A subject: one line, whatever the values hold."""
    return " ".join(rendered(source, words).split())[:LONGEST_SUBJECT]


@lru_cache(maxsize=4_096)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)
