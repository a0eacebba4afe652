"""What the drill measures and records by itself: load, answers, records, processes."""
