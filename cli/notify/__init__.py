"""Notifications of the user's own, by command or URL, while a failover or failback goes on."""
