"""Steps on the search engines: settings, fitness, snapshot, copy and restore."""
