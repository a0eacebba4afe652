"""The two clusters that a drill works on, with all that it starts in them."""
