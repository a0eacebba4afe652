"""Clusters: contexts, the API, pods and their ports."""
