"""The pure core: what is wanted in each phase. No I/O, no Pulumi, no Kubernetes client."""

VERSION = "0.1.0"
"""The program's version, which each stack's outputs remember."""
