"""Whether a location wants a message: the master toggles, and one switch for each event and channel."""

from dataclasses import dataclass

from domain.notification import MessageChannel, NotificationEvent


@dataclass(frozen=True, slots=True)
class Switches:
    """A location's master toggles, and the two switches of one event."""

    sms_enabled: bool
    email_enabled: bool
    reminders_enabled: bool
    sms: bool
    email: bool

    def on(self, event: NotificationEvent, channel: MessageChannel) -> bool:
        """Whether the event is told on that channel."""
        if event is NotificationEvent.REMINDER and not self.reminders_enabled:
            return False
        if channel is MessageChannel.SMS:
            return self.sms_enabled and self.sms
        return self.email_enabled and self.email
