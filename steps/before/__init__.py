"""What is looked at before anything is declared: files, states, the region's cluster, and whether it is safe."""
