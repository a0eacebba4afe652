"""Answers of search engines, judged."""
