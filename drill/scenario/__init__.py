"""What happens in a drill, in its order."""
