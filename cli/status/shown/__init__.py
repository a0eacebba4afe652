"""The form of `dualregion status`: for people and for programs."""
