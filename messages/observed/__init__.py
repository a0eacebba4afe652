"""What the answers of brokers, search engines and DNS say."""
