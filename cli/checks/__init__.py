"""What preflight checks before an incident: offline, and by asking both regions."""
