"""What is made on AWS, read only where it is configured: buckets, keys, roles, network ACL rules."""
