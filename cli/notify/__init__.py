"""Notifications of the user's own, by command or URL, during a failover or failback."""
