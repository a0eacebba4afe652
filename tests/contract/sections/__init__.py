"""The contract's expectations, one module a section."""
