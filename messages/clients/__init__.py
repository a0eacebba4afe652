"""Why a call to a cluster, a broker or a search engine failed."""
