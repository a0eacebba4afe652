"""What tests put in: examples of settings, random inputs, states of both stacks."""
