"""What brokers, gateways and search engines answer: parsed, and judged."""
