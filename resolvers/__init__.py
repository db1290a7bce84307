"""One use case a function: reads, rules, writes, events. Knows no GraphQL."""
