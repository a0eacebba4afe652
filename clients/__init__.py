"""The only package that talks to clusters: Kubernetes, Zeebe's gateways and brokers, the search engine."""
