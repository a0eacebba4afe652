"""ComponentResources that carry out what `dualregion.topology` wants."""
