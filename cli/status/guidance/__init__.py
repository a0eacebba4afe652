"""What to do next, and which moves are refused. Pure."""
