"""Tests of the model, and by the model."""
