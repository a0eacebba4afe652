"""What writes parts of the documents from data."""
