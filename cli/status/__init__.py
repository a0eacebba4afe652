"""What both regions and both stacks show, what it means, and what to do next."""
