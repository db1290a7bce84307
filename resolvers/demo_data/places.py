"""Neighbourhoods of Austin and its northern suburbs: postal codes, their middles, and streets that run through them.

Streets, postal codes and their places are real; house numbers and the exact points are made up.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """A postal code.

    Args:
        latitude, longitude: its middle, in degrees.
        spread_km: how far from the middle the houses of the demo lie.
        numbers: the range of house numbers.
        north: served from Round Rock, not from Austin.
    """

    postal_code: str
    city: str
    latitude: float
    longitude: float
    spread_km: float
    numbers: tuple[int, int]
    streets: tuple[str, ...]
    north: bool


def _area(
    code: str,
    place: tuple[float, float],
    spread_km: float,
    numbers: tuple[int, int],
    streets: str,
    city: str = "Austin",
) -> Area:
    names = tuple(name.strip() for name in streets.split(","))
    return Area(code, city, *place, spread_km, numbers, names, north=place[0] > 30.36)


AREAS = (
    _area(
        "78701",
        (30.271, -97.743),
        0.8,
        (200, 1500),
        "Rio Grande St, Nueces St, San Antonio St, Guadalupe St, Trinity St, Red River St, W 9th St",
    ),
    _area(
        "78702",
        (30.264, -97.717),
        1.2,
        (900, 3200),
        "E Cesar Chavez St, Chicon St, Holly St, Haskell St, Garden St, Willow St, E 2nd St, Comal St",
    ),
    _area(
        "78703",
        (30.292, -97.766),
        1.3,
        (1200, 3400),
        "Exposition Blvd, Windsor Rd, Enfield Rd, Hartford Rd, Pecos St, Westover Rd, W Lynn St, Bonnie Rd",
    ),
    _area(
        "78704",
        (30.243, -97.766),
        1.6,
        (1000, 3000),
        "Kinney Ave, Barton Hills Dr, Bluebonnet Ln, Garner Ave, W Annie St, W Mary St, Travis Heights Blvd, S 5th St",
    ),
    _area(
        "78705",
        (30.292, -97.739),
        0.8,
        (2800, 3800),
        "Duval St, Speedway, Hemphill Park, Harris Park Ave, W 30th St, Salado St",
    ),
    _area(
        "78721",
        (30.272, -97.687),
        1.2,
        (1000, 5200),
        "Webberville Rd, Springdale Rd, Ledesma Rd, Bolm Rd, Oak Springs Dr, Hudson St",
    ),
    _area(
        "78722",
        (30.289, -97.715),
        0.8,
        (1500, 3800),
        "Cherrywood Rd, E 38th 1/2 St, Maplewood Ave, Larry Ln, Werner Ave, Lafayette Ave",
    ),
    _area(
        "78723",
        (30.306, -97.686),
        1.3,
        (1800, 6800),
        "Berkman Dr, Mueller Blvd, Tom Miller St, Camacho St, Belfast Dr, Gaston Place Dr, Rogge Ln, Northeast Dr",
    ),
    _area("78724", (30.296, -97.637), 1.6, (5200, 8200), "Loyola Ln, Colony Park Dr, Decker Ln, Johnny Morris Rd"),
    _area(
        "78731",
        (30.347, -97.764),
        1.6,
        (3500, 8400),
        "Far West Blvd, Mesa Dr, Balcones Dr, Cat Mountain Dr, North Hills Dr, Hart Ln, Greystone Dr",
    ),
    _area(
        "78735",
        (30.249, -97.841),
        1.5,
        (4200, 7400),
        "Southwest Pkwy, Travis Country Cir, Republic of Texas Blvd, Old Bee Caves Rd",
    ),
    _area("78739", (30.176, -97.880), 1.3, (5000, 11200), "Escarpment Blvd, La Crosse Ave, South Bay Ln, Redmond Rd"),
    _area(
        "78741",
        (30.231, -97.718),
        1.3,
        (1200, 2600),
        "E Riverside Dr, Burton Dr, S Pleasant Valley Rd, Wickersham Ln, Parker Ln, E Oltorf St, Willow Creek Dr",
    ),
    _area(
        "78744",
        (30.188, -97.740),
        1.6,
        (4400, 6800),
        "Nuckols Crossing Rd, Teri Rd, E Stassney Ln, Palo Blanco Ln, Blue Meadow Dr, Dove Springs Dr",
    ),
    _area(
        "78745",
        (30.207, -97.796),
        1.8,
        (500, 7600),
        "Menchaca Rd, W Stassney Ln, West Gate Blvd, Emerald Forest Dr, Berkeley Ave, Cooper Ln, Jones Rd",
    ),
    _area(
        "78748",
        (30.171, -97.823),
        1.6,
        (8600, 11400),
        "W Slaughter Ln, Bilbrook Pl, Riddle Rd, Cullen Ln, Chisholm Ln, Curlew Dr, Palace Pkwy",
    ),
    _area(
        "78749",
        (30.216, -97.851),
        1.5,
        (4200, 9400),
        "Davis Ln, Brodie Ln, Convict Hill Rd, Westcreek Dr, Beckett Rd",
    ),
    _area(
        "78751",
        (30.310, -97.724),
        0.9,
        (3900, 5400),
        "Avenue G, Avenue H, Duval St, Speedway, Caswell Ave, Evans Ave, Eilers Ave",
    ),
    _area(
        "78752",
        (30.331, -97.703),
        1.0,
        (700, 7400),
        "Reinli St, Blessing Ave, Guadalupe St, E St Johns Ave, Twin Crest Dr, Carver Ave",
    ),
    _area(
        "78756",
        (30.321, -97.739),
        0.9,
        (4000, 5400),
        "Ramsey Ave, Shoalwood Ave, Sinclair Ave, W 49th St, Bull Creek Rd, Woodview Ave",
    ),
    _area(
        "78757",
        (30.348, -97.732),
        1.3,
        (1200, 8200),
        "Woodrow Ave, Justin Ln, Arroyo Seco, Great Northern Blvd, Pegram Ave, Daugherty St, Cullen Ave",
    ),
    _area(
        "78753",
        (30.370, -97.681),
        1.6,
        (600, 11200),
        "E Rundberg Ln, E Braker Ln, Georgian Dr, Applegate Dr, Newmont Rd, Grady Dr",
    ),
    _area(
        "78758",
        (30.382, -97.708),
        1.5,
        (1200, 11600),
        "Metric Blvd, Kramer Ln, Rutland Dr, Parkfield Dr, Mearns Meadow Blvd, Quail Valley Blvd",
    ),
    _area(
        "78759",
        (30.403, -97.757),
        1.5,
        (6600, 11800),
        "Jollyville Rd, Great Hills Trl, Balcones Woods Dr, Oak View Dr, Yaupon Dr",
    ),
    _area(
        "78727",
        (30.427, -97.718),
        1.3,
        (1800, 12800),
        "W Parmer Ln, Lamplight Village Ave, Tomanet Trl, Waters Park Rd, Scofield Ridge Pkwy",
    ),
    _area("78728", (30.447, -97.686), 1.2, (1600, 15400), "Wells Branch Pkwy, Thermal Dr, Bratton Ln, Shoreline Dr"),
    _area(
        "78729",
        (30.452, -97.762),
        1.3,
        (8400, 13600),
        "Pond Springs Rd, Broadmeade Ave, Los Indios Trl, Tamayo Dr, Partridge Bend",
    ),
    _area(
        "78750",
        (30.421, -97.796),
        1.5,
        (9600, 13200),
        "Anderson Mill Rd, Spicewood Springs Rd, El Salido Pkwy, Lake Creek Pkwy",
    ),
    _area("78717", (30.492, -97.748), 1.5, (8800, 15200), "Avery Ranch Blvd, Neenah Ave, Pearson Ranch Rd"),
    _area(
        "78664",
        (30.505, -97.652),
        1.6,
        (400, 3400),
        "Gattis School Rd, Greenlawn Blvd, N Mays St, Double Creek Dr, Red Bud Ln, E Main St",
        "Round Rock",
    ),
    _area(
        "78665",
        (30.548, -97.645),
        1.6,
        (900, 4200),
        "Teravista Club Dr, Forest Creek Dr, Sunrise Rd, University Blvd",
        "Round Rock",
    ),
    _area(
        "78681",
        (30.518, -97.712),
        1.6,
        (800, 4600),
        "Sam Bass Rd, W Old Settlers Blvd, Wyoming Springs Dr, Creek Bend Blvd, Great Oaks Dr, O'Connor Dr",
        "Round Rock",
    ),
    _area(
        "78613",
        (30.505, -97.820),
        1.8,
        (400, 3200),
        "Cypress Creek Rd, Discovery Blvd, Buttercup Creek Blvd, Brushy Creek Rd, Cluck Creek Trl, Park St",
        "Cedar Park",
    ),
    _area(
        "78660",
        (30.440, -97.624),
        1.8,
        (300, 19400),
        "E Pecan St, W Pecan St, Kelly Ln, N Railroad Ave, Settlers Valley Dr, Immanuel Rd, Picadilly Dr",
        "Pflugerville",
    ),
)
