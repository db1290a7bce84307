"""Notification settings in the schema."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.ids import Prefix
from domain.notification import NotificationEvent
from permissions.scopes import Scope
from resolvers.notification import LocationNotifications, update_notifications
from resolvers.notification_preview import preview
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query
from schema.node import id_of
from schema.scalars import LocalTime
from schema.values import given

if TYPE_CHECKING:
    from schema.location import Location


@strawberry.type
class NotificationRule:
    """One event's switches and words."""

    event: NotificationEvent
    sms: bool
    email: bool
    offset_minutes: int | None = strawberry.field(
        description="Minutes before the visit (REMINDER) or after it (FOLLOW_UP)."
    )
    sms_template: str
    email_subject: str
    email_template: str


@strawberry.type(description="The master toggles and one switch for each event and channel. All off: nothing is sent.")
class NotificationSettings:
    """What a location tells its customers."""

    sms_enabled: bool
    email_enabled: bool
    reminders_enabled: bool
    rules: list[NotificationRule]
    quiet_hours_start: LocalTime | None = strawberry.field(
        description="Local hours in which nothing but ON_THE_WAY is sent; what falls in them waits until they end."
    )
    quiet_hours_end: LocalTime | None

    @classmethod
    def of(cls, found: LocationNotifications) -> "NotificationSettings":
        """The object of a location's settings."""
        settings = found.settings
        return cls(
            sms_enabled=settings.sms_enabled,
            email_enabled=settings.email_enabled,
            reminders_enabled=settings.reminders_enabled,
            rules=[
                NotificationRule(
                    event=rule.event,
                    sms=rule.sms,
                    email=rule.email,
                    offset_minutes=rule.offset_minutes,
                    sms_template=rule.sms_template,
                    email_subject=rule.email_subject,
                    email_template=rule.email_template,
                )
                for rule in found.rules
            ],
            quiet_hours_start=LocalTime(settings.quiet_hours_start) if settings.quiet_hours_start else None,
            quiet_hours_end=LocalTime(settings.quiet_hours_end) if settings.quiet_hours_end else None,
        )


@strawberry.type(description="What templates would say of an invented visit. The tracking link in it leads nowhere.")
class NotificationPreview:
    """A text and an email."""

    sms: str
    sms_segments: int
    email_subject: str
    email_text: str
    email_html: str


@strawberry.input(
    description="What is left out or null stays as it is. Templates hold text and {{ variables }}; the variables are"
    " business_name, business_phone, location_name, customer_name, customer_first_name, number, date, time, window, address,"
    " services, technician_name, eta and tracking_url."
)
class NotificationRuleInput:
    """Changes of one event's rule."""

    event: NotificationEvent
    sms: bool | None = None
    email: bool | None = None
    offset_minutes: int | None = None
    sms_template: str | None = None
    email_subject: str | None = None
    email_template: str | None = None


@strawberry.input(
    description="What is left out stays as it is. Null for both ends of the quiet hours means that there are none."
)
class NotificationSettingsUpdateInput:
    """Changes of a location's notification settings."""

    location_id: strawberry.ID
    sms_enabled: bool | None = strawberry.UNSET
    email_enabled: bool | None = strawberry.UNSET
    reminders_enabled: bool | None = strawberry.UNSET
    quiet_hours_start: LocalTime | None = strawberry.UNSET
    quiet_hours_end: LocalTime | None = strawberry.UNSET
    rules: list[NotificationRuleInput] | None = strawberry.UNSET


@strawberry.type
class NotificationSettingsUpdatePayload(Payload):
    """The location, or why its settings did not change."""

    location: Annotated["Location", strawberry.lazy("schema.location")] | None = None


@strawberry.type
class NotificationQuery:
    """Root fields."""

    @query(Scope.LOCATIONS_READ)
    async def notification_preview(
        self,
        info: Info,
        location_id: strawberry.ID,
        event: NotificationEvent,
        sms_template: str | None = None,
        email_subject: str | None = None,
        email_template: str | None = None,
    ) -> NotificationPreview | None:
        """How an event is told, by the templates that are given or else by the stored ones."""
        found = await preview(
            info.context.caller,
            id_of(Prefix.LOCATION, location_id, "location", "locationId"),
            event,
            sms_template,
            email_subject,
            email_template,
        )
        return NotificationPreview(
            sms=found.text,
            sms_segments=found.text_segments,
            email_subject=found.subject,
            email_text=found.email_text,
            email_html=found.email_html,
        )


@strawberry.type
class NotificationMutation:
    """Root fields."""

    @mutation(Scope.LOCATIONS_WRITE)
    async def notification_settings_update(
        self, info: Info, input: NotificationSettingsUpdateInput
    ) -> NotificationSettingsUpdatePayload:
        """Change what a location tells its customers."""
        from schema.location import Location

        location_id = id_of(Prefix.LOCATION, input.location_id, "location", "locationId")
        changes = given(
            input,
            sms_enabled=None,
            email_enabled=None,
            reminders_enabled=None,
            quiet_hours_start=str,
            quiet_hours_end=str,
        )
        rules = [
            given(
                rule,
                event=None,
                sms=None,
                email=None,
                offset_minutes=None,
                sms_template=None,
                email_subject=None,
                email_template=None,
            )
            for rule in input.rules or []
        ]
        row = await update_notifications(info.context.caller, location_id, changes, rules)
        return NotificationSettingsUpdatePayload(location=Location.of(row))
