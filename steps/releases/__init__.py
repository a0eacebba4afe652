"""What happens to Helm releases and their pods: installed, adopted, rolled out, cleaned up, deleted."""
