"""Services of the demo: appliances."""

from resolvers.demo_data.catalog import option, service

APPLIANCES = "Appliance repair"

SERVICES = (
    service(
        APPLIANCES,
        "Refrigerator repair",
        "Diagnosis and labour; parts are quoted before they are fitted.",
        90,
        "189.00",
        "appliance",
        ("Not cold below, freezer is fine", "Water under the crisper", "Clicks and does not start"),
        option("Ice maker", "79.00", 30),
    ),
    service(
        APPLIANCES,
        "Washer repair",
        "Front or top loader, diagnosis and labour.",
        75,
        "169.00",
        "appliance",
        ("Does not spin", "Leaks at the door", "Walks across the laundry room"),
    ),
    service(
        APPLIANCES,
        "Dryer repair",
        "Gas or electric, diagnosis and labour.",
        60,
        "159.00",
        "appliance",
        ("Takes three cycles to dry", "Squeals", "Stops after five minutes"),
        option("Vent cleaning", "79.00", 30),
    ),
    service(
        APPLIANCES,
        "Dishwasher repair",
        "Diagnosis and labour; parts are quoted before they are fitted.",
        75,
        "169.00",
        "appliance",
        ("Does not drain", "Dishes come out dirty", "Error code E24"),
    ),
    service(
        APPLIANCES,
        "Oven and range repair",
        "Gas or electric, diagnosis and labour.",
        75,
        "179.00",
        "appliance",
        ("Oven is 50 degrees off", "One burner does not light", "Door does not close"),
    ),
)
