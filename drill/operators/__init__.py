"""Who takes the turns: plain `pulumi up`, the command at a terminal, and one that is interrupted."""
