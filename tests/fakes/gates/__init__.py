"""Gates of a whole procedure, on doubles of both regions."""
