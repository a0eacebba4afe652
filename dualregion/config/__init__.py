"""The project's configuration: settings, one module for each section of them, and what is refused in them."""
