"""Camunda's Helm chart: the values that an installation gets, what it renders, and what must be so in it."""
