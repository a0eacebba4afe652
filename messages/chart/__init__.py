"""What is wrong with Helm values, and with what the chart renders."""
