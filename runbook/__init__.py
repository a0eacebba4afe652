"""The command `dualregion`: both stacks at a glance, and driven together. It holds no state of its own."""
