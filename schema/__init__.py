"""The GraphQL contract: types, inputs, root fields, guards on fields, limits."""
