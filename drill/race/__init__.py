"""The race: the procedure's own commands as a script, and the program, over the same course; who is how fast."""
