"""No field is open by omission: the schema is walked, and the SDL shows a guard on whatever leads anywhere."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import strawberry
from graphql import GraphQLObjectType, get_named_type, is_interface_type, is_object_type
from strawberry.schema.types.concrete_type import ConcreteType
from strawberry.types.base import StrawberryObjectDefinition

from domain.tenant import Role
from permissions.guards import Anyone, guarded
from permissions.principal import Principal
from permissions.scopes import KEY_SCOPES, ROLES, Scope, scopes_of
from schema.root import schema
from tests.access.schema_walk import ROOTS, SCOPELESS, resolved_fields, sdl_guards

_ID = UUID(int=7)
# What a root field answers with has been guarded by that root field.
ANSWERS = ("Connection", "Edge", "Payload")
# Without a log-in there is nothing else: what they lead to is meant for everybody who has the slug or the token.
PUBLIC = {
    "Query.viewer", "Query.bookingPortal", "Query.trackedVisit", "Query.plans", "Subscription.trackedVisit",
    "BookingPortal.windows", "Mutation.bookingCreate", "Mutation.signUp", "Mutation.logIn", "Mutation.invitationAccept",
    "Mutation.passwordResetRequest", "Mutation.passwordReset", "Mutation.uploadRequest", "Mutation.uploadComplete",
    # Of the portal's services, and of what a customer has uploaded by the link of a message.
    "Service.options", "Attachment.url", "Attachment.thumbnailUrl",
}  # fmt: skip


def test_every_field_that_runs_code_has_a_guard_in_the_sdl() -> None:
    assert [str(each) for each in resolved_fields() if each.guard is None] == []


def test_every_root_field_has_a_guard_in_the_sdl() -> None:
    graphql = schema._schema
    for root in ROOTS:
        type_ = graphql.type_map[root]
        assert isinstance(type_, GraphQLObjectType)
        assert {name for owner, name in sdl_guards() if owner == root} == set(type_.fields)


def test_what_leads_to_an_object_of_its_own_has_a_guard() -> None:
    assert list(_unguarded_ways()) == []


def _unguarded_ways() -> Iterator[str]:
    for name, type_ in schema._schema.type_map.items():
        if not is_object_type(type_) or name.startswith("__") or name.endswith(ANSWERS):
            continue
        for field, definition in type_.fields.items():
            to = get_named_type(definition.type)
            leads = is_interface_type(to) or (is_object_type(to) and any(each.name == "Node" for each in to.interfaces))
            # Appointments of a board are what its root field's own scope is for; the portal's services are public.
            own = (name, field) in {
                ("BoardLane", "appointments"),
                ("DispatchBoard", "unassigned"),
                ("BookingPortal", "services"),
            }
            if leads and not own and (name, field) not in sdl_guards():
                yield f"{name}.{field}"


def test_every_guard_names_a_scope_that_there_is() -> None:
    for each in resolved_fields():
        assert each.guard in SCOPELESS or each.guard in {scope.value for scope in Scope}, str(each)


def test_what_is_public_is_written_down() -> None:
    assert {str(each) for each in resolved_fields() if each.guard == "public"} <= PUBLIC


def test_a_field_that_somebody_forgets_to_guard_is_found() -> None:
    """The walk itself: on a schema with one field of each kind."""

    @strawberry.type
    class Query:
        @strawberry.field(extensions=[guarded(Scope.TENANT_READ)])  # type: ignore[untyped-decorator]
        def good(self) -> int:
            return 1

        @strawberry.field
        def forgotten(self) -> int:
            return 1

    made = strawberry.Schema(Query)
    concrete = made.schema_converter.type_map["Query"]
    assert isinstance(concrete, ConcreteType)
    assert isinstance(concrete.definition, StrawberryObjectDefinition)
    assert [field.name for field in concrete.definition.fields if field.base_resolver] == ["good", "forgotten"]
    assert 'good: Int! @requires(scope: "tenant:read")\n' in made.as_str()
    assert "forgotten: Int!\n" in made.as_str()


@pytest.mark.parametrize("guard", [*Scope, *Anyone])
def test_nobody_and_somebody_without_scopes_pass_no_scope(guard: Scope | Anyone) -> None:
    (permission,) = guarded(guard).permissions
    assert permission.allows(None) is (guard is Anyone.PUBLIC)  # type: ignore[attr-defined]
    powerless = Principal(tenant_id=_ID, actor="x", scopes=frozenset(), user_id=_ID)
    assert permission.allows(powerless) is isinstance(guard, Anyone)  # type: ignore[attr-defined]


def test_roles_are_a_ladder_and_only_an_owner_has_all() -> None:
    assert scopes_of(Role.OWNER) == {scope.value for scope in Scope}
    assert scopes_of(Role.VIEWER) < scopes_of(Role.DISPATCHER) < scopes_of(Role.ADMIN) < scopes_of(Role.OWNER)
    assert scopes_of(Role.TECHNICIAN) < scopes_of(Role.DISPATCHER)
    assert set(ROLES) == set(Role)
    assert all(scope.endswith(":read") for scope in scopes_of(Role.VIEWER))


def test_keys_cannot_manage_people_keys_or_the_account() -> None:
    assert set(Scope) - KEY_SCOPES == {
        Scope.USERS_WRITE, Scope.API_KEYS_WRITE, Scope.SECURITY_WRITE, Scope.ACCOUNT_CLOSE
    }  # fmt: skip
