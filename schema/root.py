"""The schema: root types put together from the nouns, built once."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.account import AccountMutation, AccountQuery
from schema.api_key import ApiKeyMutation, ApiKeyQuery
from schema.appointment_event import EventSubscription
from schema.appointment_mutation import AppointmentMutation
from schema.appointment_query import AppointmentQuery
from schema.attachment import AttachmentMutation
from schema.billing import BillingMutation, BillingQuery
from schema.booking import BookingMutation
from schema.booking_portal import BookingPortalQuery
from schema.compiled import CompiledExecutor
from schema.configuration_warning import ConfigurationWarningQuery
from schema.customer import CustomerMutation, CustomerQuery
from schema.day_plan import DayPlanMutation, DayPlanQuery
from schema.equipment import EquipmentMutation
from schema.export import ExportMutation, ExportQuery
from schema.leaving import LeavingMutation
from schema.location import LocationMutation, LocationQuery
from schema.message import MessageQuery, MessageSubscription
from schema.node_query import NodeQuery
from schema.notification import NotificationMutation, NotificationQuery
from schema.password import PasswordMutation
from schema.position import PositionMutation, PositionSubscription
from schema.presence import PresenceMutation, PresenceSubscription
from schema.scalars import AS_THEY_ARE, SCALARS
from schema.second_factor import SecondFactorMutation, SecondFactorQuery
from schema.security_event import SecurityEventQuery
from schema.service import ServiceMutation, ServiceQuery
from schema.suggestion import SuggestionQuery
from schema.technician import TechnicianMutation, TechnicianQuery
from schema.tenant import TenantMutation, TenantQuery
from schema.time_off import TimeOffMutation
from schema.tracked_visit import TrackedVisitQuery, TrackedVisitSubscription
from schema.user import UserMutation, UserQuery
from schema.webhook import WebhookMutation, WebhookQuery

Query = merge_types(
    "Query",
    (
        TenantQuery,
        NodeQuery,
        LocationQuery,
        TechnicianQuery,
        ServiceQuery,
        CustomerQuery,
        AppointmentQuery,
        MessageQuery,
        NotificationQuery,
        TrackedVisitQuery,
        AccountQuery,
        BillingQuery,
        BookingPortalQuery,
        SuggestionQuery,
        DayPlanQuery,
        ConfigurationWarningQuery,
        UserQuery,
        ApiKeyQuery,
        SecondFactorQuery,
        SecurityEventQuery,
        ExportQuery,
        WebhookQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        AccountMutation,
        TenantMutation,
        LocationMutation,
        TechnicianMutation,
        TimeOffMutation,
        ServiceMutation,
        CustomerMutation,
        EquipmentMutation,
        AttachmentMutation,
        AppointmentMutation,
        NotificationMutation,
        PasswordMutation,
        SecondFactorMutation,
        UserMutation,
        ApiKeyMutation,
        ExportMutation,
        LeavingMutation,
        BillingMutation,
        BookingMutation,
        PositionMutation,
        DayPlanMutation,
        PresenceMutation,
        WebhookMutation,
    ),
)
Subscription = merge_types(
    "Subscription",
    (EventSubscription, MessageSubscription, TrackedVisitSubscription, PositionSubscription, PresenceSubscription),
)


class ProductExecutor(CompiledExecutor):
    """The compiled executor, which knows the scalars here."""

    exact = {**CompiledExecutor.exact, **AS_THEY_ARE}


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=ProductExecutor,
    config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
)
