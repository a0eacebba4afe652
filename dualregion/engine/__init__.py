"""What the search engines say, read into plain values at the edge, and judged by pure functions.

As in `observed`, each judgement returns the reason why something is *not* so (yet), or None. Only what
Elasticsearch 8 and OpenSearch 2 both answer, with the same meaning, is read here.
"""
