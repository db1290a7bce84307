"""What a customer's answer to a text means: the keywords that carriers require to be honoured."""

from enum import StrEnum


class Answer(StrEnum):
    """An answer that must be obeyed."""

    STOP = "STOP"
    START = "START"
    HELP = "HELP"

    @property
    def confirmation(self) -> str:
        """What is answered."""
        return _CONFIRMATIONS[self]


# https://help.twilio.com/articles/223134027, and the words that the FCC names (47 CFR 64.1200(a)(10)).
_WORDS = {
    Answer.STOP: {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT OUT", "OPT-OUT"},
    Answer.START: {"START", "UNSTOP", "YES"},
    Answer.HELP: {"HELP", "INFO"},
}
_CONFIRMATIONS = {
    Answer.STOP: "You will get no more texts about your appointments from this number. Answer START to get them again.",
    Answer.START: "You will get texts about your appointments again. Answer STOP to end them.",
    Answer.HELP: "These are texts about your appointments. For anything else call the business that you booked with."
    " Answer STOP to end them.",
}


def answer_of(body: str, known: str | None = None) -> Answer | None:
    """The meaning of an answer, or None for anything but a keyword alone.

    Args:
        known: what the provider has recognised already, if it looks for keywords itself.
    """
    text = " ".join((known or body).upper().split()).strip(" .,;:!?'\"")
    return next((answer for answer, words in _WORDS.items() if text in words), None)
