"""What the demo business is made of: places, people, the team and the catalog, as plain tables."""
