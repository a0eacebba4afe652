"""A new project's folder: what it is made from, and its files."""
