"""The main job: a business signs up, books, dispatches; the technician goes on the way and the board moves."""

from datetime import datetime, timedelta

from tests.world import ADDRESS, World

DAY = "2027-03-02"
NINE, TEN = f"{DAY}T09:00:00-06:00", f"{DAY}T10:00:00-06:00"
EVENTS = """
subscription ($after: String) {
  appointmentEvents(after: $after) {
    cursor type actor changes { field before after }
    appointment { number status version technician { name } customer { name } lines { service { name } } }
  }
}
"""
BOARD = """
query ($day: Date!) {
  dispatchBoard(day: $day) {
    cursor
    lanes { technician { name } working { start end } appointments { id status customer { name } lines { service { name } } } }
    unassigned { id number status }
  }
}
"""


async def test_from_sign_up_to_on_the_way(world: World) -> None:
    api = world.api
    asked = await world.book()
    assert (asked["status"], asked["number"], asked["version"]) == ("REQUESTED", 1001, 1)
    board = (await api.ask(BOARD, day=DAY))["dispatchBoard"]
    assert [each["id"] for each in board["unassigned"]] == [asked["id"]]

    async with api.subscribe(EVENTS, after=board["cursor"]) as stream:
        planned = await api.do(
            "appointmentSchedule", "appointment { status version arrivalWindow { start end } } userErrors { code }",
            appointmentId=asked["id"], scheduled={"start": NINE, "end": TEN}, technicianId=world.technician,
        )  # fmt: skip
        assert planned["appointment"]["status"] == "SCHEDULED"
        assert planned["appointment"]["arrivalWindow"] == {
            "start": "2027-03-02T15:00:00Z",
            "end": "2027-03-02T17:00:00Z",
        }
        on_the_way = await api.do(
            "appointmentMarkOnTheWay", "appointment { status eta allowedTransitions } userErrors { code }",
            appointmentId=asked["id"], etaMinutes=20,
        )  # fmt: skip
        assert on_the_way["appointment"]["allowedTransitions"] == ["SCHEDULED", "IN_PROGRESS", "CANCELLED", "NO_SHOW"]
        first, second = (await stream.next())["appointmentEvents"], (await stream.next())["appointmentEvents"]
    assert [first["type"], second["type"]] == ["SCHEDULED", "ON_THE_WAY"]
    assert second["appointment"]["technician"] == {"name": "Tess Tran"}
    assert {"field": "status", "before": "SCHEDULED", "after": "ON_THE_WAY"} in second["changes"]

    board = (await api.ask(BOARD, day=DAY))["dispatchBoard"]
    (lane,) = board["lanes"]
    assert lane["working"] == [{"start": "2027-03-02T14:00:00Z", "end": "2027-03-02T23:00:00Z"}]
    assert [each["status"] for each in lane["appointments"]] == ["ON_THE_WAY"]
    assert board["cursor"] == second["cursor"]
    history = await api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Appointment { history { type actor cursor } } } }", id=asked["id"]
    )
    assert [each["type"] for each in history["node"]["history"]] == ["CREATED", "SCHEDULED", "ON_THE_WAY"]


async def test_the_whole_life(world: World) -> None:
    made = await world.book(NINE, TEN, technicianId=world.technician)
    statuses = []
    for mutation in ("appointmentMarkOnTheWay", "appointmentStart", "appointmentComplete", "appointmentReopen"):
        done = await world.api.do(
            mutation, "appointment { status version } userErrors { code }", appointmentId=made["id"]
        )
        statuses.append(done["appointment"]["status"])
    assert statuses == ["ON_THE_WAY", "IN_PROGRESS", "COMPLETED", "IN_PROGRESS"]
    refused = await world.api.do(
        "appointmentReopen", "appointment { status } userErrors { code path }", appointmentId=made["id"]
    )
    assert refused["appointment"]["status"] == "SCHEDULED"
    refused = await world.api.do(
        "appointmentComplete", "appointment { id } userErrors { code path }", appointmentId=made["id"]
    )
    assert refused == {
        "appointment": None,
        "userErrors": [{"code": "INVALID_TRANSITION", "path": ["input", "appointmentId"]}],
    }


async def test_the_arrival_is_estimated_when_nobody_says_it(world: World) -> None:
    home, far = {"latitude": 30.27, "longitude": -97.74}, {"latitude": 30.40, "longitude": -97.74}
    await world.api.do("technicianUpdate", technicianId=world.technician, homeBase=home)
    customer = await world.api.do(
        "customerCreate", "customer { id addresses { id } } userErrors { code }",
        name="Far Away", address=ADDRESS | {"location": far},
    )  # fmt: skip
    made = await world.book(
        NINE, TEN, technicianId=world.technician,
        customerId=customer["customer"]["id"], addressId=customer["customer"]["addresses"][0]["id"],
    )  # fmt: skip
    answer = await world.api.do("appointmentMarkOnTheWay", "appointment { eta onTheWayAt }", appointmentId=made["id"])
    eta, left = (datetime.fromisoformat(answer["appointment"][name]) for name in ("eta", "onTheWayAt"))
    # 14.5 km in a straight line: 18.8 km of road, of which the first three are slow.
    assert timedelta(minutes=25) < eta - left < timedelta(minutes=35)


async def test_no_arrival_is_made_up_for_an_unknown_place(world: World) -> None:
    made = await world.book(NINE, TEN, technicianId=world.technician)
    answer = await world.api.do("appointmentMarkOnTheWay", "appointment { eta status }", appointmentId=made["id"])
    assert answer["appointment"] == {"eta": None, "status": "ON_THE_WAY"}
