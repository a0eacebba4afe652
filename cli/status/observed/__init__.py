"""What both regions show, asked at once, and what of it was expected."""
