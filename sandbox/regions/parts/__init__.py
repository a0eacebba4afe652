"""What a region consists of: each part as processes, files and manifests, planned and not yet started."""
