"""What customers are told: planned, delivered, reported, explained."""
