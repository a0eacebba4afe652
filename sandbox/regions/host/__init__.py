"""What is done on the machine itself: processes, control groups, networks."""
