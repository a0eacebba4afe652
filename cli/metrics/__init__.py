"""What a status and a preflight have found, as Prometheus text for the textfile collector."""
