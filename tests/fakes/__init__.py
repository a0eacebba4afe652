"""Doubles of what the program talks to: an API server, search engines, brokers, pulumi, whole regions."""
