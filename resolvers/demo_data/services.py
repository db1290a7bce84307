"""The demo's catalog as a whole."""

from resolvers.demo_data import catalog_appliance, catalog_climate, catalog_water

SERVICES = (*catalog_appliance.SERVICES, *catalog_climate.SERVICES, *catalog_water.SERVICES)
CATEGORIES = tuple(dict.fromkeys(service.category for service in SERVICES))
