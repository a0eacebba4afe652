"""The pure core: what is wanted in each phase. No I/O, no Pulumi, no Kubernetes client."""
