"""What a step waits for, refuses and reports."""
