"""Tables, their named queries, database transactions and row-level security: the one place that imports SQLAlchemy."""
