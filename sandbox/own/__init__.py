"""Images of the user's own in the place of the sandbox's: what a file says of them, and how regions get them."""
