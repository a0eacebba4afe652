"""ComponentResources that carry out what `dualregion.procedure.topology` wants."""
