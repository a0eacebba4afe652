"""What is wrong with settings and with the environment."""
