"""The command `dualregion`: it runs the Pulumi program on both stacks, and looks at both regions."""
