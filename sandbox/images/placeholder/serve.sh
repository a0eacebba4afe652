#!/bin/sh
# Operate and Tasklist are only switched on and off by the procedure: this answers their health checks on port 8080.
# A shell as process 1 obeys SIGTERM at once, which busybox's own httpd would not.
trap 'exit 0' TERM INT
/bin/httpd -f -p 8080 -h /www &
wait
