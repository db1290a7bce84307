"""Names of the demo's customers, given and family names kept together by origin, and what the office noted about them."""

NAMES = (
    (
        "Emily Karen Laura Megan Todd Brian Scott Rachel Heather Doug Wade Travis",
        "Baker Sullivan Harper McKinney Reeves Dalton Fletcher Hutchins Pruitt Crawford Langley Sheffield",
    ),
    (
        "María José Lucía Ricardo Guadalupe Héctor Ximena Alejandro Verónica Raúl Elena Javier",
        "Hernández Treviño Salinas Villarreal Cantú Garza Morales Peña Zamora Quintanilla Ríos Ibarra",
    ),
    (
        "Denise Marcus Tamika Andre Jasmine Terrence Monique Darnell Keisha Reginald",
        "Washington Jefferson Booker Gaines Mosley Tolliver Broussard Hollis Merriweather Batiste",
    ),
    (
        "Thuy Minh Huong Duc Lan Bao Kim Tuan Mai Quang",
        "Nguyen Pham Hoang Vu Dang Bui Ngo Duong Ly Trinh",
    ),
    (
        "Anjali Vikram Deepa Rohan Kavita Suresh Neha Arjun Meera Sanjay",
        "Patel Iyer Reddy Chowdhury Banerjee Kulkarni Menon Sharma Desai Nair",
    ),
    (
        "Wei Mei Jun Li-Hua Xiang Yan Hao Ping Jing Chen",
        "Zhang Liu Huang Wu Zhao Xu Sun Lin Guo Tang",
    ),
    (
        "Ji-woo Min-jun Soo-ah Hyun Eun-ji Sung Yuki Haruto Akiko Naomi",
        "Park Kim Choi Jung Kang Tanaka Watanabe Mori Shimizu Yoon",
    ),
    (
        "Otto Wilhelmina Clyde Anna Stanislav Ludmila Ernst Hedwig Pavel Marta",
        "Schroeder Krueger Kowalski Hruška Novotny Fischer Zapalac Wojcik Bockhorn Dvořák",
    ),
    (
        "Layla Omar Nadia Tariq Farah Youssef Samira Karim Shirin Dariush",
        "Haddad Rahman Khalil Mansour Farouk Nasser Aziz Hosseini Tehrani Saleh",
    ),
    (
        "Chidi Ngozi Abebe Hana Emeka Folake Kwame Ama Tesfaye Zainab",
        "Adeyemi Eze Bekele Tadesse Mensah Owusu Obi Danjuma Haile Balogun",
    ),
    (
        "Siobhán Declan Giulia Marco Anastasia Dmitri Ingrid Lars Chloé Étienne",
        "O'Connell Gallagher Romano Esposito Volkov Petrova Lindqvist Sørensen Lefèvre Moreau",
    ),
)

BUSINESSES = (
    "Juniper & Vine Café",
    "Barton Creek Veterinary Clinic",
    "Pecan Street Laundromat",
    "Third Coast Yoga",
    "Hyde Park Dental",
    "Little Longhorns Preschool",
    "Casa Tejana Bed & Breakfast",
    "Shoal Creek Property Management",
    "Old Settlers Barbershop",
    "Mueller Lofts HOA",
    "Live Oak Senior Living",
    "Armadillo Print Works",
)

CUSTOMER_NOTES = (
    "Gate code 4471#",
    "Gate code 2080, close it behind you: dogs",
    "Two friendly dogs, one loud",
    "Cat must not get out",
    "Park on the street, not in the drive",
    "Call ten minutes ahead, works from home",
    "Prefers mornings",
    "Prefers texts to calls",
    "Hard of hearing, ring twice",
    "Speaks Spanish",
    "Speaks Vietnamese, the daughter translates",
    "Rental: the tenant lets you in, invoice to the owner",
    "Home warranty on file",
    "Senior discount",
    "Key in the lockbox on the gas meter",
    "Side door; the bell in front is broken",
    "Shoes off, please",
    "Water shut-off is behind the azaleas",
    "Breaker panel is in the garage, left wall",
    "Attic access in the hall closet",
    "Paid late twice, card on file now",
    "Referred by the neighbours",
)

INTERNAL_NOTES = (
    "Customer asked for an itemised quote first.",
    "Bring the tall ladder.",
    "Part was ordered on the last visit and is on the truck.",
    "Third visit this year: check for the cause.",
    "Warranty until next spring, do not charge labour for the valve.",
    "Landlord approves up to $400 without a call.",
)

LINE_2 = ("Apt 2", "Apt 104", "Apt 12B", "Unit A", "Unit B", "Unit 3", "Apt 215", "Bldg 4, Apt 411")
