"""What must hold: pure functions of what was seen, which share nothing with the program."""
