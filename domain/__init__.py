"""Pure rules: no input or output, no framework."""
