"""Two real Kubernetes regions on one machine; knows nothing of the program rehearsed in them."""
