"""The one module of this folder goes before all others on the path of a Python whose clock is to be wrong."""
