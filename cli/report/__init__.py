"""The recovery record, as a page for people."""
