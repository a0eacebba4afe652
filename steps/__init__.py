"""What gates do and prove: each step of the procedure, by the clients."""
